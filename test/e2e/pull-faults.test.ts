/** Pulls from a registry that misbehaves: what passes is tried again, what does not is refused in one line, the store stays sound. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { MediaType } from '../../src/images/manifest.ts';
import { startRegistry, type TestRegistry } from '../fixture/registry/docker-registry.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../fixture/registry/fault-proxy.ts';
import { a3s } from './fixture/cli.ts';
import { type Machine, machine, machineOfFile, seen } from './fixture/machine.ts';
import {
  files,
  noise,
  publish,
  type Published,
  publishIndex,
  putManifest,
  sha256,
} from './fixture/remote-images.ts';

const BIG = 400_000;
let registry: TestRegistry;
let image: Published;
/** Holds an image already, so that there is something to be left as it was. */
const owner = machineOfFile();

beforeAll(async () => {
  registry = await startRegistry();
  image = await publish(registry.domain, 't/x', '1', {
    layers: [{ tar: files({ big: noise(BIG, 'big') }), form: 'plain' }],
  });
  await publish(registry.domain, 't/before', '1', { layers: [{ tar: files({ before: 'before' }) }] });
  await owner.ok(['pull', '-q', `${registry.domain}/t/before:1`]);
});
afterAll(() => registry.close());

interface Disturbed {
  proxy: FaultProxy;
  name: string;
  /** Its one layer's path in the registry. */
  layer: string;
}

async function disturbed(): Promise<Disturbed> {
  const proxy = await startFaultProxy(registry);
  onTestFinished(() => proxy.close());
  return { proxy, name: `${proxy.domain}/t/x:1`, layer: `/blobs/${image.layers[0]}` };
}

/** Ranges that were asked of the layer, in order; '' for all of it. */
function ranges({ proxy, layer }: Disturbed): string[] {
  return proxy.seen.flatMap((line, n) => (line.includes(layer) ? [proxy.headers[n]?.range ?? ''] : []));
}

async function expectWhole(here: Machine, name: string): Promise<void> {
  expect(here.blobs()).toEqual(expect.arrayContaining([image.digest, image.id, ...image.layers]));
  expect(await here.ok(['image', 'inspect', '-f', '{{.Id}}', name])).toBe(image.id);
  expect(here.files('ingest')).toEqual([]);
  expect(here.files('leases')).toEqual([]);
}

describe('tried again, on from where it broke', () => {
  test.each<[string, Fault, (string | RegExp)[]]>([
    // Bytes that were on their way when it broke may be lost.
    ['a connection that breaks', { kind: 'reset', after: 150_000 }, ['', /^$|^bytes=[1-9]\d*-$/]],
    ['an answer that ends early', { kind: 'truncate', after: 100_000 }, ['', 'bytes=100000-']],
    ['a connection that breaks before an answer', { kind: 'reset', after: 0 }, ['', '']],
    ['too much asked', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }, ['', '']],
    ['a registry out of order', { kind: 'status', status: 502 }, ['', '']],
  ])('%s', async (_, fault, asked) => {
    const it = await disturbed();
    it.proxy.next('GET', it.layer, fault);
    const here = machine();
    const { status, out, err } = await here.a3s(['pull', it.name]);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/; retrying in 1 second\n/);
    expect(out).toMatch(/\nStatus: Downloaded newer image for /);
    expect(ranges(it)).toEqual(asked.map((range) => expect.stringMatching(range === '' ? /^$/ : range)));
    await expectWhole(here, it.name);
  });

  test('a registry that asks for a wait is left alone for that long', async () => {
    const it = await disturbed();
    it.proxy.next('GET', it.layer, { kind: 'status', status: 429, headers: { 'retry-after': '2' } });
    const { status, ms } = await machine().a3s(['pull', it.name]);
    expect(status).toBe(0);
    expect(ms).toBeGreaterThan(2000);
  });

  test('a broken range is followed by the whole', async () => {
    const it = await disturbed();
    it.proxy.next('GET', it.layer, { kind: 'truncate', after: 150_000 });
    it.proxy.next('GET', it.layer, { kind: 'no-range' });
    const here = machine();
    await here.ok(['pull', it.name]);
    expect(ranges(it)).toEqual(['', 'bytes=150000-']);
    await expectWhole(here, it.name);
  });

  test('bytes that are wrong once', async () => {
    const it = await disturbed();
    it.proxy.next('GET', it.layer, { kind: 'corrupt', at: 12_345 });
    const here = machine();
    await here.ok(['pull', it.name]);
    expect(ranges(it)).toEqual(['', '']);
    await expectWhole(here, it.name);
  });

  test('a pull that failed is gone on with by the next', async () => {
    const it = await disturbed();
    it.proxy.next('GET', it.layer, { kind: 'truncate', after: 150_000 });
    it.proxy.next('GET', it.layer, { kind: 'status', status: 403, body: '' });
    const here = machine();
    expect((await here.a3s(['pull', it.name])).status).toBe(1);
    expect(here.files('ingest')).toEqual([image.layers[0]?.slice('sha256:'.length)]);
    await here.ok(['pull', it.name]);
    expect(ranges(it).slice(-1)).toEqual(['bytes=150000-']);
    await expectWhole(here, it.name);
  });

  test('redirects to another host, without the credentials', async () => {
    const [it, other] = [await disturbed(), await disturbed()];
    const target = `http://${other.proxy.domain}/v2/t/x${it.layer}`;
    it.proxy.next('GET', it.layer, { kind: 'status', status: 307, headers: { location: target } });
    const here = machine();
    await here.ok(['pull', it.name]);
    expect(other.proxy.seen).toEqual([`GET /v2/t/x${it.layer}`]);
    await expectWhole(here, it.name);
  });
});

describe('refused in one line, and the store is as it was', () => {
  const often = 20;
  const json = (code: string): string => JSON.stringify({ errors: [{ code, message: 'no' }] });

  test.each<[string, string, Fault, RegExp]>([
    [
      'wrong bytes each time',
      'blob',
      { kind: 'corrupt', at: 5 },
      /^NAME@DIGEST: filesystem layer verification failed for digest BLOB: the \d+ bytes that came have the digest sha256:\w{64}$/,
    ],
    [
      'a registry out of order for good',
      'manifest',
      { kind: 'status', status: 500 },
      /^Error response from daemon: NAME: received unexpected HTTP status: 500 Internal Server Error$/,
    ],
    [
      'a registry that wants too long a wait',
      'manifest',
      { kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
      /^Error response from daemon: NAME: toomanyrequests: too many requests$/,
    ],
    [
      'a redirect that leads to itself',
      'manifest',
      { kind: 'status', status: 307, headers: { location: '/v2/t/x/manifests/1' } },
      /^Error response from daemon: NAME: [^\n]*redirect[^\n]*$/,
    ],
    [
      'a manifest that is not the one the registry tells of',
      'manifest',
      { kind: 'headers', headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } },
      /^Error response from daemon: NAME: the manifest has the digest DIGEST instead of sha256:0{64}$/,
    ],
    [
      'a manifest that is none',
      'manifest',
      { kind: 'status', status: 200, headers: { 'content-type': MediaType.ociManifest }, body: '{}' },
      /^NAME@sha256:\w{64}: the image has a bad field: manifest\.layers$/,
    ],
    [
      'a manifest that is no JSON',
      'manifest',
      { kind: 'status', status: 200, headers: { 'content-type': MediaType.ociManifest }, body: '<html>' },
      /^NAME@sha256:\w{64}: its manifest is not JSON$/,
    ],
    [
      'a manifest of an unknown type',
      'manifest',
      { kind: 'status', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      /^Error response from daemon: NAME: the manifest is of an unknown type: text\/html$/,
    ],
    [
      'a manifest that it lacks',
      'manifest',
      { kind: 'status', status: 404, body: json('MANIFEST_UNKNOWN') },
      /^Error response from daemon: manifest for NAME not found: manifest unknown: no$/,
    ],
    [
      'a blob that it lacks',
      'blob',
      { kind: 'status', status: 404, body: json('BLOB_UNKNOWN') },
      /^Error response from daemon: blob BLOB of REPO not found: blob unknown: no$/,
    ],
    [
      'a blob of another size',
      'blob',
      { kind: 'headers', headers: { 'content-length': '17' } },
      /^Error response from daemon: blob BLOB of REPO: the registry sent 17 bytes instead of \d+$/,
    ],
    [
      'a blob that it keeps to itself',
      'blob',
      { kind: 'status', status: 403, body: json('DENIED') },
      /^Error response from daemon: pull access denied for REPO, repository does not exist or may require 'docker login': denied: no$/,
    ],
  ])('%s', async (_, where, fault, line) => {
    const it = await disturbed();
    it.proxy.next('GET', where === 'blob' ? it.layer : '/manifests/', fault, often);
    const before = owner.index();
    const { status, out, err } = await owner.a3s(['pull', it.name]);
    expect(status).toBe(1);
    expect(out).not.toMatch(/Status:|Digest:/);
    const [first = '', ...hints] = err.trimEnd().split('\n');
    const told = first
      .replace(it.name, 'NAME')
      .replace(it.name.slice(0, -2), 'REPO')
      .replace(image.digest, 'DIGEST')
      .replace(image.layers[0] ?? '', 'BLOB');
    expect(told).toMatch(line);
    expect(hints.every((hint) => hint.startsWith('Hint: '))).toBe(true);
    expect(hints.length).toBeLessThan(2);
    expect(owner.index()).toBe(before);
    // Throws for a blob whose bytes are others.
    expect(owner.blobs()).not.toContain(image.layers[0]);
    expect(owner.files('leases')).toEqual([]);
    expect(owner.files('rootfs').filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('a configuration that does not fit the layers, an index of indexes, layers that are no tar', async () => {
    const plain = files({ a: 'a' });
    const made = await publish(registry.domain, 't/odd', 'ok', { layers: [{ tar: plain, form: 'plain' }] });
    const layer = { mediaType: MediaType.ociLayer, digest: made.layers[0], size: plain.length };
    const config = { mediaType: MediaType.ociConfig, digest: made.id, size: 1 };
    const index = await publishIndex(registry.domain, 't/odd', 'inner', [
      { image: made, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    await publishIndex(registry.domain, 't/odd', 'outer', [
      { image: { ...made, ...index }, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    await putManifest(registry.domain, 't/odd', 'size', MediaType.ociManifest, {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config,
      layers: [layer],
    });
    const junk = Buffer.from(noise(5000, 'junk'), 'latin1');
    await publish(registry.domain, 't/odd', 'junk', { layers: [{ tar: junk, form: 'plain' }] });
    const refused = async (tag: string): Promise<string> => {
      const { status, err } = await owner.a3s(['pull', `${registry.domain}/t/odd:${tag}`]);
      expect(status).toBe(1);
      return err.split('\n')[0] ?? '';
    };
    expect(await refused('outer')).toMatch(
      /^127\.0\.0\.1:\d+\/t\/odd:outer@sha256:\w{64}: it is an index of indexes$/,
    );
    expect(await refused('size')).toMatch(/: the registry sent \d+ bytes instead of 1$/);
    expect(await refused('junk')).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:\\d+/t/odd:junk@sha256:\\w{64}: cannot unpack layer ${sha256(junk)}: [^\n]+$`,
      ),
    );
    expect(owner.index()).not.toContain('/t/odd');
  });

  test('a registry that is down, a host that does not exist; 125 from run', async () => {
    const proxy = await startFaultProxy(registry);
    await proxy.close();
    const down = `Get "http://${proxy.domain}/v2/": dial tcp ${proxy.domain}: connect: connection refused`;
    expect(seen(await owner.a3s(['pull', `${proxy.domain}/t/x:1`]))).toEqual({
      status: 1,
      out: '',
      err: `Error response from daemon: ${down}\n`,
    });
    const { status, out, err } = await owner.a3s(['pull', 'nosuchhost.invalid/x']);
    expect({ status, out }).toEqual({ status: 1, out: 'Using default tag: latest\n' });
    expect(err).toMatch(
      /^Error response from daemon: Get "https:\/\/nosuchhost\.invalid\/v2\/": dial tcp: lookup nosuchhost\.invalid: [^\n]+\n$/,
    );
    expect(seen(await a3s(['run', '--rm', `${proxy.domain}/t/x:1`, 'true']))).toEqual({
      status: 125,
      out: '',
      err:
        `Unable to find image '${proxy.domain}/t/x:1' locally\n` +
        `a3s-box: Error response from daemon: ${down}\n\nRun 'a3s-box run --help' for more information\n`,
    });
  });
});

test('a full disk: one line; once there is room the pull goes on where it was', async () => {
  const here = machine();
  mkdirSync(here.images, { mode: 0o700 });
  const mount = (options: string): unknown =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', `${options},mode=700`, 'tmpfs', here.images]);
  mount('size=256k');
  onTestFinished(() => void execFileSync('umount', [here.images]));
  const it = await disturbed();
  const { status, err } = await here.a3s(['pull', it.name]);
  expect(status).toBe(1);
  expect(err).toMatch(/^cannot write to the image store: ENOSPC: [^\n]+\nHint: free some disk space\n$/);
  expect(here.index()).toBe('');
  mount('remount,size=8m');
  await here.ok(['pull', it.name]);
  expect(ranges(it).at(-1)).toMatch(/^bytes=[1-9]\d+-$/);
  await expectWhole(here, it.name);
});
