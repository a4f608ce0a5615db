/** What the tests of the registry client put into a registry and take out of it. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

import type { Descriptor } from '../../../../src/images/config.ts';
import { anonymous, type Credential } from '../../../../src/images/registry/credential.ts';
import type { BlobSink } from '../../../../src/images/registry/download.ts';
import {
  openRegistry,
  type Registry,
  type RegistryOptions,
} from '../../../../src/images/registry/registry.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Short waits between tries; a busy machine still has time to answer. */
const TIMING = { connectMs: 5000, idleMs: 8000, retryMs: 5 };
/** For tests of registries that say nothing. */
export const IMPATIENT = { ...TIMING, idleMs: 800 };

/** A client of the registry that is closed with the running test. */
export async function client(
  domain: string,
  options: Partial<RegistryOptions> & { credential?: Credential } = {},
): Promise<Registry> {
  const { credential, ...rest } = options;
  const credentials = credential === undefined ? anonymous : { get: () => Promise.resolve(credential) };
  const registry = await openRegistry(domain, { credentials, timing: TIMING, env: {}, ...rest });
  onTestFinished(() => registry.close());
  return registry;
}

export function password(username: string, secret: string): Credential {
  return { kind: 'password', username, password: secret };
}

export interface Blob extends Descriptor {
  bytes: Buffer;
}

/** Bytes without a pattern, the same ones every time. */
export function blobOf(size: number, seed = 'a3s'): Blob {
  const bytes = createHash('shake256', { outputLength: Math.max(size, 1) })
    .update(seed)
    .digest()
    .subarray(0, size);
  return { bytes, mediaType: 'application/octet-stream', digest: digestOf(bytes), size, annotations: {} };
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function upload(registry: Registry, repository: string, blob: Blob): Promise<void> {
  await registry.uploadBlob(repository, blob, (offset) => Readable.from([blob.bytes.subarray(offset)]));
}

/** A sink that keeps what it is given. */
export class Kept implements BlobSink {
  chunks: Buffer[] = [];
  restarts = 0;
  offset: number;

  constructor(first: Buffer = Buffer.alloc(0)) {
    this.chunks.push(first);
    this.offset = first.length;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  write(chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  restart(): Promise<void> {
    this.chunks = [];
    this.restarts += 1;
    return Promise.resolve();
  }
}

/** Puts an image of one small layer under a tag and returns its manifest. */
export async function putImage(
  registry: Registry,
  repository: string,
  tag: string,
): Promise<{ digest: string; bytes: Buffer }> {
  const config = blobOf(100, 'config');
  const layer = blobOf(5000, 'layer');
  await upload(registry, repository, config);
  await upload(registry, repository, layer);
  const { bytes: _c, ...configDescriptor } = config;
  const { bytes: _l, ...layerDescriptor } = layer;
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { ...configDescriptor, mediaType: 'application/vnd.oci.image.config.v1+json' },
      layers: [{ ...layerDescriptor, mediaType: 'application/vnd.oci.image.layer.v1.tar' }],
    }),
  );
  return { digest: await registry.putManifest(repository, tag, OCI_MANIFEST, bytes), bytes };
}
