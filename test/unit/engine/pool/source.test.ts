import { describe, expect, test } from 'vitest';

import { followSource, sourceOf } from '../../../../src/engine/pool/source.ts';
import type { PoolSpec } from '../../../../src/engine/pool/spec.ts';
import { nameAnnotations, readIndex, writeIndex } from '../../../../src/images/store.ts';
import { writeImage } from '../../images/fixture/oci-layout.ts';
import { testEngine, type TestEngine } from '../fixture/engine.ts';

const spec = (image: string): PoolSpec => ({ image, cpus: 2, memoryMb: 512, size: 1, ttlMs: 0 });

/** Another image in the store than the one that the bundle brings, which stays; returns its digest. */
async function addImage(engine: TestEngine, name: string, content: string): Promise<string> {
  const { imagesDir } = engine.layout;
  const before = readIndex(imagesDir);
  const { digest } = writeImage(imagesDir, { name, content });
  const [added] = readIndex(imagesDir);
  if (added === undefined) throw new Error('no image was added');
  const annotations = nameAnnotations(name);
  await writeIndex(imagesDir, [...before, { ...added, annotations }]);
  return digest;
}

/** Takes every image with this digest out of the store's index. */
async function forget(engine: TestEngine, digest: string): Promise<void> {
  const { imagesDir } = engine.layout;
  await writeIndex(
    imagesDir,
    readIndex(imagesDir).filter((entry) => entry.digest !== digest),
  );
}

describe('the image of a pool', () => {
  test('stays the same as long as nothing happens to it', async () => {
    const engine = testEngine();
    const source = await sourceOf(engine, spec('a3s/base:latest'));
    expect(source.image.id).toBe(engine.imageId);
    expect(await followSource(engine, spec('a3s/base:latest'), source)).toEqual(source);
  });

  test('is followed when its tag moves and the image that it was is pruned', async () => {
    const engine = testEngine();
    const old = await addImage(engine, 'pool/app:1', 'old');
    const source = await sourceOf(engine, spec('pool/app:1'));
    expect(source.image.digest).toBe(old);
    await forget(engine, old);
    const moved = await addImage(engine, 'pool/app:1', 'new');
    const followed = await followSource(engine, spec('pool/app:1'), source);
    expect(followed.image.digest).toBe(moved);
    expect(followed.fitness).not.toBe(source.fitness);
  });

  test('is gone with its tag, though another tag has it', async () => {
    const engine = testEngine();
    const digest = await addImage(engine, 'pool/app:1', 'app');
    const source = await sourceOf(engine, spec('pool/app:1'));
    await forget(engine, digest);
    await addImage(engine, 'pool/app:2', 'app');
    await expect(followSource(engine, spec('pool/app:1'), source)).rejects.toMatchObject({
      code: 'no_such_image',
      message: 'No such image: pool/app:1',
    });
  });

  test('is not brought back when the bundle has it', async () => {
    const engine = testEngine();
    const source = await sourceOf(engine, spec('a3s/base:latest'));
    await forget(engine, source.image.digest);
    await addImage(engine, 'other:1', 'other');
    await expect(followSource(engine, spec('a3s/base:latest'), source)).rejects.toMatchObject({
      code: 'no_such_image',
    });
    expect(readIndex(engine.layout.imagesDir)).toHaveLength(1);
  });

  test('is that one and no other when its ID or its digest names it', async () => {
    const engine = testEngine();
    const digest = await addImage(engine, 'pool/app:1', 'app');
    const { image } = await sourceOf(engine, spec('pool/app:1'));
    for (const name of [image.id, `pool/app@${digest}`]) {
      const source = await sourceOf(engine, spec(name));
      expect((await followSource(engine, spec(name), source)).image.digest).toBe(digest);
    }
    const source = await sourceOf(engine, spec(image.id));
    await forget(engine, digest);
    await expect(followSource(engine, spec(image.id), source)).rejects.toMatchObject({
      code: 'no_such_image',
      message: `No such image: ${image.id}`,
    });
  });
});
