import { describe, expect, it } from 'vitest';

import { parseDockerfile } from '../../../../src/build/dockerfile/parse-dockerfile.ts';
import { type BaseImage, planBuild } from '../../../../src/build/executor/plan.ts';
import { parseConfig } from '../../../../src/images/config.ts';
import type { Image } from '../../../../src/images/image.ts';
import { hostPlatform, type Platform, platformString } from '../../../../src/images/platform.ts';

const platform: Platform = { os: 'linux', architecture: 'amd64', variant: '' };

const IMAGE: Image = {
  id: '',
  digest: '',
  repoTags: [],
  repoDigests: [],
  created: '',
  size: 0,
  embedded: false,
  config: parseConfig({ rootfs: { type: 'layers', diff_ids: [] } }),
  layers: [],
};

function planning(text: string, onBuild: Record<string, string[]> = {}) {
  const asked: string[] = [];
  const load = (reference: string, wanted: Platform): Promise<BaseImage> => {
    asked.push(`${reference} ${platformString(wanted)}`);
    const image: Image = { ...IMAGE, id: reference };
    return Promise.resolve({ image, onBuild: onBuild[reference] ?? [] });
  };
  const options = { buildArguments: new Map(), platform, buildPlatform: hostPlatform() };
  return { asked, planned: planBuild(parseDockerfile(text), options, load) };
}

describe('the plan of a build', () => {
  it('asks for each image once, wherever it is used', async () => {
    const { asked, planned } = planning(
      'FROM a AS x\nFROM a\nCOPY --from=b /1 /1\nRUN --mount=from=c,target=/c true\nCOPY --from=x / /\n',
    );
    const { imageOf } = await planned;
    expect(asked).toEqual(['a linux/amd64', 'b linux/amd64', 'c linux/amd64']);
    expect(imageOf('c', platform).id).toBe('c');
  });

  it('asks for an image once for each platform', async () => {
    const { asked } = planning('FROM --platform=linux/arm64 a AS x\nFROM a\nCOPY --from=x / /\n');
    await Promise.resolve();
    expect(asked).toEqual(['a linux/arm64', 'a linux/amd64']);
  });

  it('asks for what the triggers of an image name', async () => {
    const { asked, planned } = planning('FROM a\n', { a: ['COPY --from=b /1 /1'], b: ['RUN no'] });
    const { plan } = await planned;
    expect(asked).toEqual(['a linux/amd64', 'b linux/amd64']);
    expect(plan.target.instructions.map(({ trigger }) => trigger)).toEqual([true]);
  });

  it('leaves out what the target does not need', async () => {
    const { asked, planned } = planning('FROM a AS x\nFROM b\n');
    await planned;
    expect(asked).toEqual(['b linux/amd64']);
  });
});
