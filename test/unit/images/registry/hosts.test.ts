import { expect, test } from 'vitest';

import { parseChallenges } from '../../../../src/images/registry/challenge.ts';
import {
  HostPolicy,
  hostOf,
  insecureFromEnvironment,
  isLoopback,
} from '../../../../src/images/registry/hosts.ts';
import { printable } from '../../../../src/images/registry/printable.ts';
import { proxyFor } from '../../../../src/images/registry/proxies.ts';
import { isTransientStatus, retryAfterMs } from '../../../../src/images/registry/retry.ts';

test('Docker Hub is reached at its registry', () => {
  expect(hostOf('docker.io')).toBe('registry-1.docker.io');
  expect(hostOf('localhost:5000')).toBe('localhost:5000');
});

test.for([
  ['localhost', true],
  ['LocalHost:5000', true],
  ['127.0.0.1:5000', true],
  ['127.9.9.9', true],
  ['[::1]:5000', true],
  ['[::2]', false],
  ['128.0.0.1', false],
  ['localhost.example.com', false],
  ['127.0.0.1.example.com', false],
  ['0.0.0.0', false],
] as const)('%s is on this machine: %s', ([host, expected]) => {
  expect(isLoopback(host)).toBe(expected);
});

test('hosts, ports and networks that the user names need no TLS', () => {
  const policy = new HostPolicy('registry.example', [
    'a.example',
    'b.example:5000',
    '10.0.0.0/8',
    'fd00::/8',
  ]);
  const insecure = (host: string): boolean => policy.isInsecure(host);
  expect(['a.example', 'a.example:80', 'b.example:5000', '10.1.2.3:5000', '[fd00::1]'].map(insecure)).toEqual(
    Array.from({ length: 5 }, () => true),
  );
  expect(['b.example', 'b.example:5001', '11.0.0.1', 'localhost', 'x.a.example'].map(insecure)).toEqual(
    Array.from({ length: 5 }, () => false),
  );
});

test('an entry that is no host and no network is named', () => {
  for (const entry of ['10.0.0.0/33', 'a.example/8', '10.0.0.0/8/8', 'a b']) {
    expect(() => new HostPolicy('x', [entry])).toThrow(
      `insecure registry "${entry}" is no host and no network`,
    );
  }
  expect(insecureFromEnvironment({ A3S_INSECURE_REGISTRIES: 'a,, b' })).toEqual(['a', ' b']);
});

test('addresses with credentials or of other schemes are not followed', () => {
  const policy = new HostPolicy('registry.example', []);
  const resolve = (text: string): string => policy.resolve(text, undefined, 'it').href;
  expect(resolve('https://x.example/a')).toBe('https://x.example/a');
  expect(() => resolve('https://ann:secret@x.example/')).toThrow(
    'it is not acceptable: it contains credentials',
  );
  expect(() => resolve('ftp://x.example/')).toThrow('it is not acceptable: ftp://x.example/');
  expect(() => resolve('http://localhost/')).toThrow(
    'it leads to localhost over plain HTTP, which is refused',
  );
  expect(() => resolve('relative')).toThrow('it is not acceptable: relative');
});

test('text from outside becomes one line without control characters', () => {
  expect(printable(' a\u001b[1m\r\nb\u202e ')).toBe('a [1m b');
  expect(printable('x'.repeat(400))).toBe(`${'x'.repeat(300)}…`);
});

test.for<[string, NodeJS.ProcessEnv, string | undefined]>([
  ['https://r.example/', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
  ['https://r.example/', { https_proxy: 'p:1', HTTPS_PROXY: 'http://q:1' }, 'http://p:1'],
  ['https://r.example/', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['http://r.example/', { HTTP_PROXY: 'http://p:1' }, 'http://p:1'],
  ['http://localhost:5000/', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['https://r.example/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example' }, undefined],
  ['https://r.example/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a, .example' }, undefined],
  ['https://r.example/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*.example' }, undefined],
  ['https://example/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '.example' }, 'http://p:1'],
  ['https://r.example/', { HTTPS_PROXY: 'http://p:1', no_proxy: '*' }, undefined],
  ['https://r.example/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'r.example:443' }, undefined],
  ['https://r.example/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'r.example:5000' }, 'http://p:1'],
  ['https://10.1.2.3/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/8' }, undefined],
  ['https://11.1.2.3/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '10.0.0.0/8' }, 'http://p:1'],
  ['https://[fd00::1]/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '[fd00::1]:443' }, undefined],
])('%s with %o takes the proxy %s', ([url, env, expected]) => {
  expect(proxyFor(new URL(url), env)).toBe(expected);
});

test('a proxy that is none is named without its value', () => {
  expect(() => proxyFor(new URL('https://r.example/'), { HTTPS_PROXY: 'socks5://u:secret@p' })).toThrow(
    'HTTPS_PROXY is not the address of an HTTP proxy',
  );
});

test('challenges are read with quotes, escapes and several in one header', () => {
  const header = 'Bearer realm="https://a/t?x=1,2",service="s \\"q\\"" , scope=x, Basic realm="b", Negotiate';
  expect(
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]),
  ).toEqual([
    ['bearer', { realm: 'https://a/t?x=1,2', service: 's "q"', scope: 'x' }],
    ['basic', { realm: 'b' }],
    ['negotiate', {}],
  ]);
  expect(parseChallenges(undefined)).toEqual([]);
  expect(parseChallenges(['Basic', 'Bearer realm=x']).map(({ scheme }) => scheme)).toEqual([
    'basic',
    'bearer',
  ]);
  expect(parseChallenges('"'.repeat(100_000))).toEqual([]);
});

test('Retry-After is read as seconds and as a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(retryAfterMs('7', now)).toBe(7000);
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000);
  expect(retryAfterMs('Thu, 01 Jan 2020 00:00:00 GMT', now)).toBe(0);
  expect(retryAfterMs('soon', now)).toBeUndefined();
  expect(retryAfterMs(undefined, now)).toBeUndefined();
});

test('only statuses that pass are tried again', () => {
  expect([408, 429, 500, 502, 503, 504].every(isTransientStatus)).toBe(true);
  expect([400, 401, 403, 404, 416, 501].some(isTransientStatus)).toBe(false);
});
