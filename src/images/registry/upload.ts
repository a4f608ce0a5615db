/** Blobs to a registry (OCI distribution specification 1.1, Pushing Blobs). */
import { Readable } from 'node:stream';

import { A3sError } from '../../errors.ts';
import type { Descriptor } from '../config.ts';
import { discardBody } from './body.ts';
import { nameOf, type Subject } from './refusal.ts';
import { retrying, type RetryOptions } from './retry.ts';
import { scopesOf, type Session } from './session.ts';
import { header, type HttpAnswer } from './transport.ts';

/** @throws A3sError, Transient */
export async function hasBlob(session: Session, subject: Subject): Promise<boolean> {
  const url = blobUrl(session, subject);
  const answer = await session.send({ method: 'HEAD', url, subject, expect: [200, 404] });
  await discardBody(answer);
  return answer.status === 200;
}

/**
 * Makes a blob of another repository of the registry one of this repository's, without moving it.
 * @returns false when the registry would rather have it uploaded
 * @throws A3sError, Transient
 */
export async function mountBlob(session: Session, subject: Subject, from: string): Promise<boolean> {
  const url = uploadsUrl(session, subject);
  url.searchParams.set('mount', subject.reference ?? '');
  url.searchParams.set('from', from);
  const scopes = [...scopesOf(subject), `repository:${from}:pull`];
  const answer = await session.send({
    method: 'POST',
    url,
    subject,
    scopes,
    expect: [201, 202, 400, 403, 404, 405],
  });
  await discardBody(answer);
  if (answer.status === 202) await abandon(session, subject, answer);
  return answer.status === 201;
}

/** Ends the upload that a registry began instead of mounting. It would end by itself, later. */
async function abandon(session: Session, subject: Subject, answer: HttpAnswer): Promise<void> {
  try {
    const url = locationOf(session, subject, answer);
    const expect = [200, 202, 204, 404, 405];
    await discardBody(await session.send({ method: 'DELETE', url, subject, expect }));
  } catch {
    // Nothing of ours depends on it.
  }
}

/**
 * Uploads a blob: its bytes in one request, and after a break those that the registry does not have.
 * @param open gives the bytes from an offset to the end
 * @param onProgress told how many bytes have been sent
 * @throws A3sError naming the blob
 */
export async function uploadBlob(
  session: Session,
  subject: Subject,
  blob: Descriptor,
  open: (offset: number) => Readable,
  onProgress: (bytes: number) => void,
  retry: RetryOptions,
): Promise<void> {
  /** The upload that a broken try left at the registry. */
  let broken: URL | undefined;
  await retrying(retry, async () => {
    // The end of an upload may have arrived though its answer did not.
    if (broken !== undefined && (await hasBlob(session, subject))) return;
    const resumed = broken === undefined ? undefined : await resume(session, subject, broken, blob.size);
    const { url, offset } = resumed ?? { url: await begin(session, subject), offset: 0 };
    broken = url;
    onProgress(offset);
    if (offset < blob.size) broken = await patch(session, subject, { url, offset, blob, open, onProgress });
    await finish(session, subject, broken);
  });
}

async function begin(session: Session, subject: Subject): Promise<URL> {
  const url = uploadsUrl(session, subject);
  const answer = await session.send({ method: 'POST', url, subject, expect: [202] });
  await discardBody(answer);
  return locationOf(session, subject, answer);
}

/** Some registries (docker-registry among them) give up an upload that broke, each with another status. */
const RESUMED = [200, 202, 204, 400, 404, 405, 416];

/** How far a broken upload came, or undefined when it has to begin anew. */
async function resume(
  session: Session,
  subject: Subject,
  url: URL,
  size: number,
): Promise<{ url: URL; offset: number } | undefined> {
  const answer = await session.send({ method: 'GET', url, subject, expect: RESUMED });
  await discardBody(answer);
  const last = /^(?:bytes=)?0-(\d+)$/.exec(header(answer, 'range') ?? '')?.[1];
  // `0-0` stands for no byte as well as for one.
  if (answer.status >= 400 || last === undefined || last === '0' || Number(last) >= size) return undefined;
  const next = header(answer, 'location') === undefined ? url : locationOf(session, subject, answer);
  return { url: next, offset: Number(last) + 1 };
}

interface Patch {
  url: URL;
  offset: number;
  blob: Descriptor;
  open: (offset: number) => Readable;
  onProgress: (bytes: number) => void;
}

async function patch(session: Session, subject: Subject, upload: Patch): Promise<URL> {
  const { url, offset, blob, open, onProgress } = upload;
  const headers: Record<string, string> = {
    'content-type': 'application/octet-stream',
    'content-length': String(blob.size - offset),
    // The first bytes go as a stream, which every registry takes; only a continuation is a chunk.
    ...(offset === 0 ? {} : { 'content-range': `${offset}-${blob.size - 1}` }),
  };
  let own: { error: unknown } | undefined;
  const source = (): Readable => {
    const bytes = open(offset);
    // A file that cannot be read is no fault of the registry's.
    bytes.once('error', (error) => (own = { error }));
    return bytes;
  };
  const body = (): Readable => Readable.from(counted(source(), offset, onProgress), { objectMode: false });
  const answer = await session
    .send({ method: 'PATCH', url, subject, expect: [202, 204], headers, body })
    .catch((error: unknown) => {
      throw own === undefined ? error : own.error;
    });
  await discardBody(answer);
  return locationOf(session, subject, answer);
}

async function* counted(
  source: Readable,
  offset: number,
  onProgress: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let sent = offset;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    yield chunk;
    sent += chunk.length;
    onProgress(sent);
  }
}

async function finish(session: Session, subject: Subject, upload: URL): Promise<void> {
  const url = new URL(upload);
  url.searchParams.set('digest', subject.reference ?? '');
  const headers = { 'content-length': '0' };
  const answer = await session.send({
    method: 'PUT',
    url,
    subject,
    expect: [201, 204],
    headers,
    patient: true,
  });
  await discardBody(answer);
}

/** Where an upload goes on. Relative addresses are allowed; other hosts get no credentials of this registry. */
function locationOf(session: Session, subject: Subject, answer: HttpAnswer): URL {
  const location = header(answer, 'location');
  if (location !== undefined) return session.policy.resolve(location, answer.url, 'the place of an upload');
  throw new A3sError(
    'registry_protocol',
    `${nameOf(subject)}: the registry began an upload without a place for it`,
  );
}

function uploadsUrl(session: Session, { repository = '' }: Subject): URL {
  return session.url(`${repository}/blobs/uploads/`);
}

function blobUrl(session: Session, { repository = '', reference = '' }: Subject): URL {
  return session.url(`${repository}/blobs/${reference}`);
}
