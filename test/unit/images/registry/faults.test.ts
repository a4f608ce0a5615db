/** The client against a registry that misbehaves. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { anonymous } from '../../../../src/images/registry/credential.ts';
import { openRegistry, type RegistryOptions } from '../../../../src/images/registry/registry.ts';
import { startRegistry, type TestRegistry } from '../../../fixture/registry/docker-registry.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../../../fixture/registry/fault-proxy.ts';
import { IMPATIENT, Kept, OCI_MANIFEST, blobOf, client, password, putImage, upload } from './blobs.ts';

const SIZE = 300_000;
const blob = blobOf(SIZE);
let server: TestRegistry;
let manifest: { digest: string; bytes: Buffer };

beforeAll(async () => {
  server = await startRegistry();
  const registry = await openRegistry(server.domain, { credentials: anonymous, env: {} });
  await upload(registry, 't/x', blob);
  manifest = await putImage(registry, 't/x', '1');
  await registry.close();
});
afterAll(() => server.close());

async function disturbed(options: Partial<RegistryOptions> = {}) {
  const proxy = await startFaultProxy(server);
  onTestFinished(() => proxy.close());
  const told: string[] = [];
  const registry = await client(proxy.domain, { onRetry: (line) => told.push(line), ...options });
  return { proxy, registry, told, image: `${proxy.domain}/t/x` };
}

const blobRequests = (proxy: FaultProxy): number =>
  proxy.seen.filter((line) => line.includes('/blobs/')).length;

test.for<[string, Fault]>([
  ['breaks in the middle', { kind: 'reset', after: 100_000 }],
  ['breaks before an answer', { kind: 'reset', after: 0 }],
  ['stalls in the middle', { kind: 'stall', after: 100_000 }],
  ['stalls before an answer', { kind: 'stall', after: -1 }],
  ['ends early', { kind: 'truncate', after: 100_000 }],
  ['asks for patience', { kind: 'status', status: 429, headers: { 'retry-after': '0' } }],
  ['is out of order', { kind: 'status', status: 503 }],
  ['took too long itself', { kind: 'status', status: 408 }],
])('a download is tried again when the registry %s', async ([, fault]) => {
  const { proxy, registry, told } = await disturbed(fault.kind === 'stall' ? { timing: IMPATIENT } : {});
  proxy.next('GET', '/blobs/', fault, 2);
  const sink = new Kept();
  await registry.downloadBlob('t/x', blob, sink);
  expect(sink.bytes.equals(blob.bytes)).toBe(true);
  expect(told).toHaveLength(2);
  expect(blobRequests(proxy)).toBe(3);
});

test('after a break only the rest is asked for', async () => {
  const { proxy, registry } = await disturbed();
  proxy.next('GET', '/blobs/', { kind: 'reset', after: 100_000 });
  const sink = new Kept();
  await registry.downloadBlob('t/x', blob, sink);
  expect(sink.restarts).toBe(0);
  expect(proxy.headers.at(-1)?.range).toBe('bytes=100000-');
});

test('a server without ranges sends everything again, and the known part is skipped', async () => {
  const { proxy, registry } = await disturbed();
  proxy.next('GET', '/blobs/', { kind: 'no-range' });
  const sink = new Kept(blob.bytes.subarray(0, 70_000));
  await registry.downloadBlob('t/x', blob, sink);
  expect(sink.bytes.equals(blob.bytes)).toBe(true);
  expect(sink.restarts).toBe(0);
});

test('a partial answer that is not the asked part starts over', async () => {
  const { proxy, registry } = await disturbed();
  proxy.next('GET', '/blobs/', { kind: 'headers', headers: { 'content-range': `bytes 5-9/${SIZE}` } });
  const sink = new Kept(blob.bytes.subarray(0, 70_000));
  await registry.downloadBlob('t/x', blob, sink);
  expect(sink.restarts).toBe(1);
  expect(sink.bytes.equals(blob.bytes)).toBe(true);
});

test('after five tries the last failure is told, naming the blob', async () => {
  const { proxy, registry, told, image } = await disturbed();
  proxy.next('GET', '/blobs/', { kind: 'status', status: 503, body: 'sorry' }, 10);
  await expect(registry.downloadBlob('t/x', blob, new Kept())).rejects.toMatchObject({
    code: 'registry_refused',
    message: `blob ${blob.digest} of ${image}: received unexpected HTTP status: 503 Service Unavailable`,
  });
  expect(blobRequests(proxy)).toBe(5);
  expect(told).toHaveLength(4);
  expect(told[0]).toMatch(
    /: received unexpected HTTP status: 503 Service Unavailable; retrying in 1 second$/,
  );
});

test('a stall is told with its duration', async () => {
  const { proxy, registry, told, image } = await disturbed({ timing: IMPATIENT });
  proxy.next('GET', '/blobs/', { kind: 'stall', after: 0 });
  await registry.downloadBlob('t/x', blob, new Kept());
  const url = `http://${proxy.domain}/v2/t/x/blobs/${blob.digest}`;
  expect(told).toEqual([
    `blob ${blob.digest} of ${image}: Get "${url}": no data for 0.8 s; retrying in 1 second`,
  ]);
});

test('a wait of hours is told instead of waited', async () => {
  const { proxy, registry, image } = await disturbed();
  const body = JSON.stringify({
    errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your limit' }],
  });
  proxy.next('GET', '/manifests/', {
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '21600' },
    body,
  });
  await expect(registry.manifest('t/x', '1')).rejects.toMatchObject({
    message: `${image}:1: toomanyrequests: You have reached your limit`,
  });
});

test.for([400, 403, 404])('status %i is not tried again', async (status) => {
  const { proxy, registry, image } = await disturbed();
  proxy.next('GET', '/blobs/', { kind: 'status', status }, 10);
  await expect(registry.downloadBlob('t/x', blob, new Kept())).rejects.toThrow(image);
  expect(blobRequests(proxy)).toBe(1);
});

test('a manifest with a changed byte is refused', async () => {
  const { proxy, registry, image } = await disturbed();
  proxy.next('GET', '/manifests/', { kind: 'corrupt', at: 10 });
  await expect(registry.manifest('t/x', '1')).rejects.toMatchObject({
    code: 'registry_protocol',
    message: expect.stringMatching(
      `^${image}:1: the manifest has the digest sha256:[0-9a-f]{64} instead of ${manifest.digest}$`,
    ),
  });
});

test('a digest in the header that is not the manifest’s is refused', async () => {
  const { proxy, registry } = await disturbed();
  const wrong = `sha256:${'0'.repeat(64)}`;
  proxy.next('GET', '/manifests/', { kind: 'headers', headers: { 'docker-content-digest': wrong } });
  await expect(registry.manifest('t/x', '1')).rejects.toThrow(
    `the manifest has the digest ${manifest.digest} instead of ${wrong}`,
  );
});

test('a manifest is found without its headers', async () => {
  const { proxy, registry } = await disturbed();
  const headers = { 'docker-content-digest': undefined, 'content-type': 'text/plain' };
  proxy.next('HEAD', '/manifests/', { kind: 'headers', headers });
  proxy.next('GET', '/manifests/', { kind: 'headers', headers });
  expect(await registry.headManifest('t/x', '1')).toEqual({
    mediaType: OCI_MANIFEST,
    digest: manifest.digest,
    size: manifest.bytes.length,
  });
});

test('manifests of the first format and of unknown ones are refused with a sentence', async () => {
  const { proxy, registry, image } = await disturbed();
  const answer = (type: string): Fault => ({
    kind: 'status',
    status: 200,
    headers: { 'content-type': type },
    body: '{}',
  });
  proxy.next('GET', '/manifests/', answer('application/vnd.docker.distribution.manifest.v1+prettyjws'));
  await expect(registry.manifest('t/x', '1')).rejects.toThrow(
    `${image}:1: the image is in the old format "Docker schema 1", which is not supported`,
  );
  proxy.next('GET', '/manifests/', answer('text/html; charset=utf-8'));
  await expect(registry.manifest('t/x', '1')).rejects.toThrow(
    `${image}:1: the manifest is of an unknown type: text/html`,
  );
});

test('a manifest without an end is refused', async () => {
  const { proxy, registry, image } = await disturbed();
  const body = Buffer.alloc(5 * 1024 * 1024, ' ');
  proxy.next('GET', '/manifests/', { kind: 'status', status: 200, body });
  await expect(registry.manifest('t/x', '1')).rejects.toThrow(
    `${image}:1: ${proxy.domain} answered /v2/t/x/manifests/1 with more than 4194304 bytes`,
  );
});

test('control characters of an error do not reach the terminal', async () => {
  const { proxy, registry, image } = await disturbed();
  const body = JSON.stringify({ errors: [{ code: 'BAD', message: '\u001b[2Jgone\nnext\u009b' }] });
  proxy.next('GET', '/manifests/', { kind: 'status', status: 400, body });
  await expect(registry.manifest('t/x', '1')).rejects.toMatchObject({
    message: `${image}:1: bad: [2Jgone next`,
  });
});

test('a redirect to another host is followed without the credentials', async () => {
  const { proxy } = await disturbed();
  const other = await startFaultProxy(server);
  onTestFinished(() => other.close());
  proxy.next('GET', '/v2/', {
    kind: 'status',
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="x"' },
  });
  const registry = await client(proxy.domain, { credential: password('ann', 'secret') });
  const location = `http://${other.domain}/v2/t/x/blobs/${blob.digest}`;
  proxy.next('GET', '/blobs/', { kind: 'status', status: 307, headers: { location } });
  const sink = new Kept();
  await registry.downloadBlob('t/x', blob, sink);
  expect(sink.bytes.equals(blob.bytes)).toBe(true);
  expect(proxy.headers.at(-1)?.authorization).toBe(`Basic ${Buffer.from('ann:secret').toString('base64')}`);
  expect(other.headers.map(({ authorization }) => authorization)).toEqual([undefined]);
});

test('redirects in a circle end, and those to elsewhere are refused', async () => {
  const { proxy, registry, image } = await disturbed();
  const name = `blob ${blob.digest} of ${image}`;
  const to = (location: string): Fault => ({ kind: 'status', status: 302, headers: { location } });
  proxy.next('GET', '/blobs/', to(`/v2/t/x/blobs/${blob.digest}`), 11);
  await expect(registry.downloadBlob('t/x', blob, new Kept())).rejects.toThrow(
    `${name}: stopped after 10 redirects`,
  );
  proxy.next('GET', '/blobs/', to('http://198.51.100.1/x'));
  await expect(registry.downloadBlob('t/x', blob, new Kept())).rejects.toThrow(
    `${name}: a redirect leads to 198.51.100.1 over plain HTTP, which is refused`,
  );
  proxy.next('GET', '/blobs/', to('file:///etc/passwd'));
  await expect(registry.downloadBlob('t/x', blob, new Kept())).rejects.toThrow(
    `${name}: a redirect is not acceptable: file:///etc/passwd`,
  );
});

test('a foreign layer comes from its address, and from the registry when that has none', async () => {
  const { proxy, registry } = await disturbed();
  const other = await startFaultProxy(server);
  onTestFinished(() => other.close());
  const urls = [`http://${other.domain}/absent`, `http://${other.domain}/v2/t/x/blobs/${blob.digest}`];
  const foreign = new Kept();
  await registry.downloadBlob('t/x', Object.assign({ ...blob }, { urls }), foreign);
  expect(foreign.bytes.equals(blob.bytes)).toBe(true);
  expect(other.seen).toHaveLength(2);
  expect(blobRequests(proxy)).toBe(0);
  const fallen = new Kept();
  await registry.downloadBlob('t/x', Object.assign({ ...blob }, { urls: urls.slice(0, 1) }), fallen);
  expect(fallen.bytes.equals(blob.bytes)).toBe(true);
  expect(blobRequests(proxy)).toBe(1);
});

test('the pages of a tag list are followed, though not in a circle', async () => {
  const { proxy, registry, image } = await disturbed();
  const page = (tag: string, next?: string): Fault => ({
    kind: 'status',
    status: 200,
    headers: next === undefined ? {} : { link: `<${next}>; rel="next"` },
    body: JSON.stringify({ name: 't/x', tags: [tag, 'not/a tag'] }),
  });
  proxy.next('GET', '/tags/list?n=1000', page('a', '/v2/t/x/tags/list?last=a'));
  proxy.next('GET', '/tags/list?last=a', page('b'));
  expect(await registry.tags('t/x')).toEqual(['a', 'b']);
  proxy.next('GET', '/tags/list?n=1000', page('a', '/v2/t/x/tags/list?n=1000'));
  await expect(registry.tags('t/x')).rejects.toThrow(`tags of ${image}: the list has no end`);
  proxy.next('GET', '/tags/list?n=1000', page('a', 'https://198.51.100.1/v2/t/x/tags/list'));
  await expect(registry.tags('t/x')).rejects.toThrow('the next page is on another host, 198.51.100.1');
});

test('a broken upload begins anew where the registry has given it up', async () => {
  const { proxy, registry, told } = await disturbed();
  const fresh = blobOf(2_000_000, 'broken upload');
  proxy.next('PATCH', '/uploads/', { kind: 'break-upload', after: 1_000_000 });
  await upload(registry, 't/up', fresh);
  const sink = new Kept();
  await registry.downloadBlob('t/up', fresh, sink);
  expect(sink.bytes.equals(fresh.bytes)).toBe(true);
  expect(told).toHaveLength(1);
});

test('a broken upload sends only what the registry does not have', async () => {
  const { proxy, registry } = await disturbed();
  const fresh = blobOf(2_000_000, 'resumed upload');
  const at = (location: string, status: number, range: string): Fault => ({
    kind: 'status',
    status,
    headers: { location, range },
  });
  proxy.next('PATCH', '/uploads/', { kind: 'break-upload', after: 1_000_000 });
  proxy.next('GET', '/uploads/', at('/v2/t/up/blobs/uploads/here', 204, '0-999999'));
  proxy.next('PATCH', '/uploads/here', at('/v2/t/up/blobs/uploads/end', 202, '0-1999999'));
  proxy.next('PUT', '/uploads/end', { kind: 'status', status: 201 });
  await upload(registry, 't/up', fresh);
  const [, second] = proxy.headers.filter((_, index) => proxy.seen[index]?.startsWith('PATCH'));
  expect(second).toMatchObject({ 'content-length': '1000000', 'content-range': '1000000-1999999' });
  expect(proxy.seen.at(-1)).toBe(`PUT /v2/t/up/blobs/uploads/end?digest=${encodeURIComponent(fresh.digest)}`);
});

test('an upload whose last answer was lost is not sent again', async () => {
  const { proxy, registry } = await disturbed();
  const fresh = blobOf(10_000, 'lost answer');
  proxy.next('PUT', '/uploads/', { kind: 'lose-answer' });
  await upload(registry, 't/lost', fresh);
  expect(await registry.hasBlob('t/lost', fresh.digest)).toBe(true);
  expect(proxy.seen.filter((line) => line.startsWith('PATCH'))).toHaveLength(1);
});

test('an upload that the registry has forgotten begins anew', async () => {
  const { proxy, registry } = await disturbed();
  const fresh = blobOf(10_000, 'forgotten');
  proxy.next('PATCH', '/uploads/', { kind: 'status', status: 500 });
  proxy.next('GET', '/uploads/', { kind: 'status', status: 404 });
  await upload(registry, 't/forgotten', fresh);
  expect(await registry.hasBlob('t/forgotten', fresh.digest)).toBe(true);
  expect(proxy.seen.filter((line) => line.startsWith('POST'))).toHaveLength(2);
});

test('an aborted signal ends a wait between two tries', async () => {
  const { proxy } = await disturbed();
  const controller = new AbortController();
  const registry = await client(proxy.domain, {
    signal: controller.signal,
    onRetry: () => controller.abort(new Error('enough')),
  });
  proxy.next('GET', '/manifests/', { kind: 'status', status: 503, headers: { 'retry-after': '30' } });
  await expect(registry.manifest('t/x', '1')).rejects.toMatchObject({ message: 'enough' });
});
