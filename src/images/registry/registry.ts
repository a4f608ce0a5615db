/** A registry, as pulling and pushing see it (OCI distribution specification 1.1; Docker's registry API v2). */
import type { Readable } from 'node:stream';

import type { Descriptor } from '../config.ts';
import { connect } from './connect.ts';
import type { CredentialSource } from './credential.ts';
import { downloadBlob, type BlobSink } from './download.ts';
import { fetchManifest, headManifest, putManifest, type RemoteManifest } from './manifests.ts';
import type { Subject } from './refusal.ts';
import { retrying, type RetryOptions } from './retry.ts';
import { allTags, fetchTags, firstTags } from './tags.ts';
import { TIMING, type Timing } from './transport.ts';
import { hasBlob, mountBlob, uploadBlob } from './upload.ts';

export interface RegistryOptions {
  credentials: CredentialSource;
  signal?: AbortSignal;
  /** Hosts and networks allowed plain HTTP and unverified TLS, besides those of `A3S_INSECURE_REGISTRIES`. */
  insecure?: readonly string[];
  /** Told, in one line, why something is tried again. */
  onRetry?: (line: string) => void;
  /** The process' own when left out. */
  env?: NodeJS.ProcessEnv;
  /** The product's own times when left out. */
  timing?: Partial<Timing>;
  /** Docker's folder of certificates when left out. */
  certsDir?: string;
}

/** Every method throws A3sError naming registry, repository and tag or digest, or the signal's reason. */
export interface Registry {
  readonly domain: string;
  /** By tag or digest; its digest is proved against the bytes, at most 4 MiB. */
  manifest(repository: string, reference: string): Promise<RemoteManifest>;
  headManifest(
    repository: string,
    reference: string,
  ): Promise<{ digest: string; mediaType: string; size: number } | null>;
  /** Streams a blob to `sink`, resuming after breaks; exactly `blob.size` bytes. The caller hashes. */
  downloadBlob(repository: string, blob: Descriptor, sink: BlobSink): Promise<void>;
  hasBlob(repository: string, digest: string): Promise<boolean>;
  /** True when the blob of `from` is now also this repository's. */
  mountBlob(repository: string, digest: string, from: string): Promise<boolean>;
  /** `open(offset)` gives the bytes from there; `onProgress` is told how many have been sent. */
  uploadBlob(
    repository: string,
    blob: Descriptor,
    open: (offset: number) => Readable,
    onProgress?: (bytes: number) => void,
  ): Promise<void>;
  /** Returns the manifest's digest. */
  putManifest(repository: string, reference: string, mediaType: string, bytes: Buffer): Promise<string>;
  tags(repository: string): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Connects to the registry of a domain (`docker.io`, `localhost:5000`) and learns how it wants to be spoken to.
 * @throws A3sError `registry_unreachable`
 */
export async function openRegistry(domain: string, options: RegistryOptions): Promise<Registry> {
  const timing = { ...TIMING, ...options.timing };
  const { session, close } = await connect(domain, { ...options, timing });
  const retry: RetryOptions = {
    retryMs: timing.retryMs,
    signal: options.signal,
    onRetry: options.onRetry,
  };
  const again = <T>(attempt: () => Promise<T>): Promise<T> => retrying(retry, attempt);
  const subject = (kind: Subject['kind'], repository: string, reference: string, push = false): Subject => ({
    domain,
    repository,
    kind,
    reference,
    push,
  });
  return {
    domain,
    manifest: (repository, reference) =>
      again(() => fetchManifest(session, subject('manifest', repository, reference))),
    headManifest: (repository, reference) =>
      again(() => headManifest(session, subject('manifest', repository, reference))),
    downloadBlob: (repository, blob, sink) =>
      downloadBlob(session, subject('blob', repository, blob.digest), blob, sink, retry),
    hasBlob: (repository, digest) => again(() => hasBlob(session, subject('blob', repository, digest, true))),
    mountBlob: (repository, digest, from) =>
      again(() => mountBlob(session, subject('blob', repository, digest, true), from)),
    uploadBlob: (repository, blob, open, onProgress = () => {}) =>
      uploadBlob(session, subject('blob', repository, blob.digest, true), blob, open, onProgress, retry),
    putManifest: (repository, reference, mediaType, bytes) =>
      again(() => putManifest(session, subject('manifest', repository, reference, true), mediaType, bytes)),
    tags: (repository) => {
      const tags = subject('tags', repository, '');
      return allTags(tags, firstTags(session, repository), (url) =>
        again(() => fetchTags(session, tags, url)),
      );
    },
    close,
  };
}
