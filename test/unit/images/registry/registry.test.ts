/** The client against Debian's docker-registry, undisturbed. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startRegistry, type TestRegistry } from '../../../fixture/registry/docker-registry.ts';
import { Kept, OCI_MANIFEST, blobOf, client, putImage, upload } from './blobs.ts';

let server: TestRegistry;
beforeAll(async () => {
  server = await startRegistry();
});
afterAll(() => server.close());

test('what was put comes back, by tag and by digest', async () => {
  const registry = await client(server.domain);
  const { digest, bytes } = await putImage(registry, 't/image', '1');
  const expected = { mediaType: OCI_MANIFEST, digest, bytes };
  expect(await registry.manifest('t/image', '1')).toEqual(expected);
  expect(await registry.manifest('t/image', digest)).toEqual(expected);
  const head = { mediaType: OCI_MANIFEST, digest, size: bytes.length };
  expect(await registry.headManifest('t/image', '1')).toEqual(head);
  expect(await registry.headManifest('t/image', '2')).toBeNull();
});

test('a blob of several megabytes goes up and comes down, with its progress told', async () => {
  const registry = await client(server.domain);
  const blob = blobOf(5_000_000);
  const told: number[] = [];
  const open = (offset: number) => {
    const parts = [];
    for (let at = offset; at < blob.size; at += 65_536) parts.push(blob.bytes.subarray(at, at + 65_536));
    return Readable.from(parts);
  };
  await registry.uploadBlob('t/large', blob, open, (bytes) => told.push(bytes));
  expect(told.at(0)).toBe(0);
  expect(told.at(-1)).toBe(blob.size);
  expect(await registry.hasBlob('t/large', blob.digest)).toBe(true);
  const sink = new Kept();
  await registry.downloadBlob('t/large', blob, sink);
  expect(sink.bytes.equals(blob.bytes)).toBe(true);
});

test('a download goes on from where the sink is', async () => {
  const registry = await client(server.domain);
  const blob = blobOf(100_000);
  await upload(registry, 't/partial', blob);
  const sink = new Kept(blob.bytes.subarray(0, 60_000));
  await registry.downloadBlob('t/partial', blob, sink);
  expect(sink.bytes.equals(blob.bytes)).toBe(true);
  const whole = new Kept(blob.bytes);
  await registry.downloadBlob('t/partial', blob, whole);
  expect(whole.bytes.equals(blob.bytes)).toBe(true);
});

test('an empty blob goes up and comes down', async () => {
  const registry = await client(server.domain);
  const blob = blobOf(0);
  await upload(registry, 't/empty', blob);
  const sink = new Kept();
  await registry.downloadBlob('t/empty', blob, sink);
  expect(sink.bytes.length).toBe(0);
});

test('a blob of another repository is mounted, one that is nowhere is not', async () => {
  const registry = await client(server.domain);
  const blob = blobOf(3000, 'mounted');
  await upload(registry, 't/from', blob);
  expect(await registry.mountBlob('t/to', blob.digest, 't/from')).toBe(true);
  expect(await registry.hasBlob('t/to', blob.digest)).toBe(true);
  const absent = blobOf(10, 'absent');
  expect(await registry.mountBlob('t/to', absent.digest, 't/from')).toBe(false);
  expect(await registry.hasBlob('t/to', absent.digest)).toBe(false);
});

test('tags are listed', async () => {
  const registry = await client(server.domain);
  for (const tag of ['b', 'a', 'c.1']) await putImage(registry, 't/tags', tag);
  expect((await registry.tags('t/tags')).toSorted()).toEqual(['a', 'b', 'c.1']);
});

test('what is not there is named in the words of Docker', async () => {
  const registry = await client(server.domain);
  await putImage(registry, 't/image', '1');
  const { digest } = blobOf(1, 'nowhere');
  const name = `${server.domain}/t/image`;
  await expect(registry.manifest('t/image', 'nope')).rejects.toMatchObject({
    code: 'not_in_registry',
    message: `manifest for ${name}:nope not found: manifest unknown: manifest unknown`,
  });
  await expect(registry.manifest('t/image', digest)).rejects.toMatchObject({
    message: `manifest for ${name}@${digest} not found: manifest unknown: manifest unknown`,
  });
  await expect(registry.tags('t/nope')).rejects.toMatchObject({
    message: `repository ${server.domain}/t/nope not found: name unknown: repository name not known to registry`,
  });
  await expect(
    registry.downloadBlob('t/image', { ...blobOf(1, 'nowhere') }, new Kept()),
  ).rejects.toMatchObject({
    code: 'not_in_registry',
    message: `blob ${digest} of ${name} not found: blob unknown: blob unknown to registry`,
  });
});

test('a blob that has another size than its descriptor says is refused', async () => {
  const registry = await client(server.domain);
  const blob = blobOf(1000, 'sized');
  await upload(registry, 't/sized', blob);
  const name = `blob ${blob.digest} of ${server.domain}/t/sized`;
  for (const size of [999, 1001]) {
    await expect(registry.downloadBlob('t/sized', { ...blob, size }, new Kept())).rejects.toMatchObject({
      code: 'registry_protocol',
      message: `${name}: the registry sent 1000 bytes instead of ${size}`,
    });
  }
});

test('an upload whose bytes are not those of its digest is refused by the registry', async () => {
  const registry = await client(server.domain);
  const blob = { ...blobOf(1000, 'one'), bytes: blobOf(1000, 'another').bytes };
  await expect(upload(registry, 't/wrong', blob)).rejects.toMatchObject({
    code: 'registry_refused',
    message: expect.stringMatching(`^blob ${blob.digest} of ${server.domain}/t/wrong: digest invalid: `),
  });
});

test('an upload whose bytes cannot be read fails with the reader’s error, at once', async () => {
  const told: string[] = [];
  const registry = await client(server.domain, { onRetry: (line) => told.push(line) });
  const blob = blobOf(1000, 'unreadable');
  const open = () => createReadStream('/nowhere/blob');
  await expect(registry.uploadBlob('t/unreadable', blob, open)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(told).toEqual([]);
});

test('where nobody listens, the error is the one of Docker, at once', async () => {
  await expect(client('127.0.0.1:1')).rejects.toMatchObject({
    code: 'registry_unreachable',
    message: 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
  });
});

test('an aborted signal ends a download', async () => {
  const controller = new AbortController();
  const registry = await client(server.domain, { signal: controller.signal });
  const blob = blobOf(200_000, 'aborted');
  await upload(registry, 't/aborted', blob);
  const sink = new Kept();
  sink.write = () => controller.abort(new Error('enough'));
  await expect(registry.downloadBlob('t/aborted', blob, sink)).rejects.toMatchObject({ message: 'enough' });
});
