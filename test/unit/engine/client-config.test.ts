import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { chosenDetachKeys } from '../../../src/commands/attach/detach-keys.ts';
import { platformOf } from '../../../src/commands/default-platform.ts';
import { listingFormat } from '../../../src/commands/format-flag.ts';
import { readClientConfig, withProxies } from '../../../src/engine/client-config.ts';
import { temporaryDirectory } from '../../temporary.ts';

function configured(content: unknown) {
  const said: string[] = [];
  const dir = temporaryDirectory();
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(dir, 'config.json'), text);
  return { env: { DOCKER_CONFIG: dir }, warn: (line: string) => void said.push(line), said };
}

test('what is not there, or of another type, is none', () => {
  const none = {
    detachKeys: '',
    formats: { images: '', ps: '', stats: '', volumes: '' },
    proxies: new Map(),
  };
  const { said, ...client } = configured({ detachKeys: 1, psFormat: {}, proxies: { default: [] } });
  expect(readClientConfig(client)).toEqual(none);
  expect(readClientConfig({ ...client, env: { DOCKER_CONFIG: '/nowhere' } })).toEqual(none);
  expect(said).toEqual([]);
});

test('a damaged file is told of', () => {
  const { said, ...client } = configured('[');
  expect(readClientConfig(client).detachKeys).toBe('');
  expect(said).toEqual([
    `WARNING: Error loading config file: ${client.env.DOCKER_CONFIG}/config.json cannot be used: it is no JSON`,
  ]);
});

test('proxies are in both spellings, and what a box has of its own goes first', () => {
  const proxies = new Map([
    ['HTTP_PROXY', 'http://a'],
    ['NO_PROXY', 'b'],
  ]);
  expect(withProxies([], { proxies })).toEqual([
    'HTTP_PROXY=http://a',
    'http_proxy=http://a',
    'NO_PROXY=b',
    'no_proxy=b',
  ]);
  expect(withProxies(['no_proxy', 'HTTP_PROXY='], { proxies })).toEqual([
    'no_proxy',
    'HTTP_PROXY=',
    'http_proxy=http://a',
    'NO_PROXY=b',
  ]);
});

test.each([
  [undefined, 'a', 'a'],
  [undefined, undefined, undefined],
  ['', 'a', undefined],
  ['b', 'a', 'b'],
])('--platform %j with DOCKER_DEFAULT_PLATFORM %j is %j', (flag, variable, platform) => {
  expect(platformOf(flag, { DOCKER_DEFAULT_PLATFORM: variable })).toBe(platform);
});

test('the keys that detach are those of the flag, of the file, or the default', () => {
  const configuredKeys = configured({ detachKeys: 'ctrl-x' });
  const keys = (flag: string | null, context = configuredKeys): string =>
    chosenDetachKeys(
      context,
      { 'detach-keys': flag ?? 'ctrl-p,ctrl-q' },
      new Set(flag === null ? [] : ['detach-keys']),
    );
  expect([keys('ctrl-a'), keys(''), keys(null)]).toEqual(['ctrl-a', 'ctrl-x', 'ctrl-x']);
  expect(keys(null, configured({}))).toBe('ctrl-p,ctrl-q');
  expect(() => keys(null, configured({ detachKeys: 'alt-x' }))).toThrow(
    "invalid detach keys (alt-x): Unknown character: 'alt-x'",
  );
});

test.each([
  ['of the flag', '{{.ID}}', false, '{{.ID}}'],
  ['of the file', undefined, false, '{{.Names}}'],
  ['of the file for an empty flag', '', false, '{{.Names}}'],
  ['none for --quiet', undefined, true, undefined],
])('the format of a list is %s', (_, format, quiet, expected) => {
  expect(listingFormat(configured({ psFormat: '{{.Names}}' }), { format, quiet }, 'ps')).toBe(expected);
});
