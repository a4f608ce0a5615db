/** Manifests and indexes: fetched with their digests proved, looked up, and put. */
import { createHash } from 'node:crypto';

import { A3sError } from '../../errors.ts';
import { isDigest } from '../reference.ts';
import { discardBody, parseObject, readBody } from './body.ts';
import { nameOf, type Subject } from './refusal.ts';
import { named, type Session } from './session.ts';
import { header, type HttpAnswer } from './transport.ts';

const TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;

export interface RemoteManifest {
  mediaType: string;
  digest: string;
  bytes: Buffer;
}

/** Fetches by tag or digest. @throws A3sError, Transient */
export async function fetchManifest(session: Session, subject: Subject): Promise<RemoteManifest> {
  const answer = await session.send({
    method: 'GET',
    url: manifestUrl(session, subject),
    subject,
    expect: [200],
    headers: { accept: TYPES.join(', ') },
  });
  const bytes = await readBody(answer).catch((error: unknown) => {
    throw named(error, subject);
  });
  const digest = digestOf(bytes);
  const { reference = '' } = subject;
  const told = header(answer, 'docker-content-digest');
  for (const expected of [isDigest(reference) ? reference : undefined, told]) {
    // Another algorithm's digest says nothing about this one.
    if (expected?.startsWith('sha256:') === true && expected !== digest) {
      throw broken(subject, `the manifest has the digest ${digest} instead of ${expected.slice(0, 80)}`);
    }
  }
  return { mediaType: mediaTypeOf(answer, bytes, subject), digest, bytes };
}

/** Digest, type and size without the manifest itself, or null when the registry has none. @throws A3sError, Transient */
export async function headManifest(
  session: Session,
  subject: Subject,
): Promise<{ digest: string; mediaType: string; size: number } | null> {
  const answer = await session.send({
    method: 'HEAD',
    url: manifestUrl(session, subject),
    subject,
    expect: [200, 404],
    headers: { accept: TYPES.join(', ') },
  });
  await discardBody(answer);
  if (answer.status === 404) return null;
  const digest = header(answer, 'docker-content-digest') ?? '';
  const size = Number(header(answer, 'content-length'));
  const mediaType = contentType(answer);
  if (isDigest(digest) && Number.isSafeInteger(size) && TYPES.includes(mediaType)) {
    return { digest, mediaType, size };
  }
  // Not every registry puts all of it into the headers.
  const manifest = await fetchManifest(session, subject);
  return { digest: manifest.digest, mediaType: manifest.mediaType, size: manifest.bytes.length };
}

/** Puts a manifest under a tag or its digest, and returns its digest. @throws A3sError, Transient */
export async function putManifest(
  session: Session,
  subject: Subject,
  mediaType: string,
  bytes: Buffer,
): Promise<string> {
  const answer = await session.send({
    method: 'PUT',
    url: manifestUrl(session, subject),
    subject,
    expect: [200, 201],
    headers: { 'content-type': mediaType },
    body: () => bytes,
    patient: true,
  });
  await discardBody(answer);
  const digest = digestOf(bytes);
  const told = header(answer, 'docker-content-digest');
  if (told?.startsWith('sha256:') === true && told !== digest) {
    throw broken(subject, `the registry stored the manifest as ${told.slice(0, 80)} instead of ${digest}`);
  }
  return digest;
}

function manifestUrl(session: Session, { repository = '', reference = '' }: Subject): URL {
  return session.url(`${repository}/manifests/${reference}`);
}

function mediaTypeOf(answer: HttpAnswer, bytes: Buffer, subject: Subject): string {
  const declared = contentType(answer);
  // Registries of static files do not know what they serve; the manifest does.
  const own = parseObject(bytes.toString())['mediaType'];
  const type = TYPES.includes(declared) || typeof own !== 'string' ? declared : own;
  if (TYPES.includes(type)) return type;
  if (SCHEMA_1.test(type)) {
    throw broken(subject, 'the image is in the old format "Docker schema 1", which is not supported');
  }
  throw broken(
    subject,
    `the manifest is of an unknown type: ${type === '' ? 'none given' : type.slice(0, 100)}`,
  );
}

function contentType(answer: HttpAnswer): string {
  return (header(answer, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function broken(subject: Subject, what: string): A3sError {
  return new A3sError('registry_protocol', `${nameOf(subject)}: ${what}`);
}
