/** What Docker's `config.json` and its client's variables decide about commands. No box runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { temporaryDirectory } from '../temporary.ts';
import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk } from './fixture/cli.ts';

const boxes = boxesOf('client-config');

/** A directory with this `config.json`. */
function configured(text: string): string {
  const dir = temporaryDirectory();
  writeFileSync(join(dir, 'config.json'), text);
  return dir;
}

test('proxies are variables of a box, formats those of lists, by DOCKER_CONFIG and --config alike', async () => {
  const dir = configured(
    JSON.stringify({
      proxies: { default: { httpProxy: 'http://proxy:1', noProxy: 'localhost' } },
      psFormat: '{{.Names}} by psFormat',
    }),
  );
  const name = boxes.name('proxied');
  await a3sOk(['--config', dir, 'create', '--name', name, '-e', 'HTTP_PROXY=own', 'a3s/base', 'true']);
  const env = await a3sOk(['inspect', '-f', '{{range .Config.Env}}{{println .}}{{end}}', name]);
  expect(env.split('\n').filter((line) => /proxy/i.test(line))).toEqual([
    'HTTP_PROXY=own',
    'http_proxy=http://proxy:1',
    'NO_PROXY=localhost',
    'no_proxy=localhost',
  ]);
  const listed = ['ps', '-a', '--filter', `name=${name}`];
  for (const options of [{ env: { DOCKER_CONFIG: dir } }, {}]) {
    const global = 'env' in options ? [] : ['--config', dir];
    expect(await a3sOk([...global, ...listed], options)).toBe(`${name} by psFormat`);
  }
  expect(await a3sOk(['--config', dir, ...listed, '--format', '{{.Names}}'])).toBe(name);
  expect(await a3sOk(['--config', dir, ...listed, '-q'])).toMatch(/^[0-9a-f]{12}$/);
});

test('a config.json that cannot be used is told of and counts as none', async () => {
  const dir = configured('{');
  const name = boxes.name('damaged');
  expect(await a3s(['--config', dir, 'create', '--name', name, 'a3s/base'])).toMatchObject({
    status: 0,
    err: `WARNING: Error loading config file: ${dir}/config.json cannot be used: it is no JSON\n`,
  });
});

test.each(['create', 'run', 'pull', 'import'])(
  '%s takes DOCKER_DEFAULT_PLATFORM for --platform',
  async (command) => {
    const operands = command === 'import' ? ['-'] : ['a3s/base'];
    const flag = await a3s([command, '--platform', 'nosuch/', ...operands]);
    expect(flag.status).not.toBe(0);
    const variable = { env: { DOCKER_DEFAULT_PLATFORM: 'nosuch/' } };
    expect(await a3s([command, ...operands], variable)).toMatchObject({ status: flag.status, err: flag.err });
  },
);
