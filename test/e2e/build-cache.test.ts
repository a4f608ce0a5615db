/** What commands tell of the build cache and take out of it, on a state directory of its own that a build has left. No box runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';

import { BuildCache } from '../../src/build/cache/build-cache.ts';
import { openCacheMount } from '../../src/build/cache/mounts.ts';
import { takeLease } from '../../src/images/store/leases.ts';
import { layoutOf } from '../../src/state/layout.ts';
import { temporaryDirectory } from '../temporary.ts';
import { buildOnce } from '../unit/build/cache/fixture/store.ts';
import { a3s, a3sOk } from './fixture/cli.ts';

let home = '';
const inHome = () => ({ env: { A3S_HOME: home } });

beforeEach(async () => {
  home = join(temporaryDirectory(), 'home');
  const layout = layoutOf(home);
  await buildOnce(layout, 'make');
  await using mount = await openCacheMount(layout, {
    id: '/root/.npm',
    sharing: 'shared',
    initial: null,
    description: 'cached mount /root/.npm from exec /bin/sh -c npm ci',
  });
  writeFileSync(join(mount.directory, 'package'), 'x'.repeat(5000));
});

describe('build cache', () => {
  test('builder prune asks, lists the records by their IDs, and frees their space', async () => {
    const question =
      'WARNING! This will remove all dangling build cache. Are you sure you want to continue? [y/N] ';
    const no = await a3s(['builder', 'prune'], { ...inHome(), stdin: 'n\n' });
    expect([no.status, no.out, no.err]).toEqual([0, question, '']);
    const ids = (await a3sOk(['builder', 'du', '--format', '{{.ID}}'], inHome())).split('\n');
    expect(ids).toHaveLength(2);
    const { status, out, err } = await a3s(['builder', 'prune'], { ...inHome(), stdin: 'y\n' });
    expect([status, err]).toEqual([0, '']);
    expect(out).toBe(
      `${question}Deleted build cache objects:\n${ids.join('\n')}\n\nTotal reclaimed space: 12.29kB\n`,
    );
    expect(await a3sOk(['builder', 'prune', '-f'], inHome())).toBe('Total reclaimed space: 0B');
  });

  test('buildx prune takes what the filter means, and tells of it in a table', async () => {
    const filter = ['--filter', 'type=exec.cachemount'];
    const { out } = await a3s(['buildx', 'prune', '-f', ...filter], inHome());
    expect(out).toMatch(
      /^ID\t{6}RECLAIMABLE\tSIZE\t\tLAST ACCESSED\n[0-9a-z]{25}\* {14}\ttrue \t\t8\.192kB {3}\t.* ago\nTotal:\t8\.192kB\n$/,
    );
    expect(await a3sOk(['buildx', 'du', '--format', '{{.Description}}'], inHome())).toBe('RUN make');
    const bad = await a3s(['buildx', 'prune', '-f', '--filter', 'until=soon'], inHome());
    expect([bad.status, bad.out]).toEqual([1, '']);
    expect(bad.err).toBe(`"until" filter expects a duration (e.g., '24h'): time: invalid duration "soon"\n`);
  });

  test('builder prune goes no further than it has to', async () => {
    expect(await a3sOk(['builder', 'prune', '-f', '--keep-storage', '1g'], inHome())).toBe(
      'Total reclaimed space: 0B',
    );
    expect(await a3sOk(['builder', 'prune', '-f', '--filter', 'until=1h'], inHome())).toBe(
      'Total reclaimed space: 0B',
    );
  });

  test('system df counts it', async () => {
    const row = async (): Promise<string | undefined> =>
      (await a3sOk(['system', 'df'], inHome())).split('\n').find((line) => line.startsWith('Build Cache'));
    expect(await row()).toMatch(/^Build Cache +2 +0 +12\.29kB +12\.29kB$/);
    using lease = takeLease(layoutOf(home));
    await new BuildCache(layoutOf(home), lease).find('make');
    expect(await row()).toMatch(/^Build Cache +2 +1 +12\.29kB +8\.192kB$/);
    const verbose = await a3sOk(['system', 'df', '-v'], inHome());
    expect(verbose).toMatch(
      /\nBuild cache usage: 12\.29kB\n\nCACHE ID +CACHE TYPE +SIZE +CREATED +LAST USED +USAGE +SHARED\n/,
    );
    expect(verbose).toMatch(/\n[0-9a-z]{12}\* +regular +4\.1kB +\S.* ago +.* ago +2 +false$/);
  });

  test('system prune takes it as well', async () => {
    const out = await a3sOk(['system', 'prune', '-f'], inHome());
    expect(out).toMatch(
      /^Deleted build cache objects:\n[0-9a-z]{25}\n[0-9a-z]{25}\n\nTotal reclaimed space: 12\.3kB$/,
    );
  });
});
