/** Blobs from a registry, resumed where a connection broke (RFC 9110, section 14). */
import { A3sError } from '../../errors.ts';
import { objectOr } from '../../json.ts';
import type { Descriptor } from '../config.ts';
import { bodyOf } from './body.ts';
import { nameOf, type Subject } from './refusal.ts';
import { Transient, retrying, type RetryOptions } from './retry.ts';
import { named, type Session } from './session.ts';
import { header, type HttpAnswer } from './transport.ts';

/** Where a blob goes. */
export interface BlobSink {
  /** Bytes that are there already. */
  offset: number;
  /** Takes the next bytes; more come once it has resolved. */
  write(chunk: Buffer): Promise<void> | void;
  /** Forgets all bytes so far: the next ones are the blob's first. */
  restart(): Promise<void>;
}

/** New bytes after which a download counts as going on, however often it breaks. */
const PROGRESS = 1024 * 1024;

/**
 * Streams a blob from `sink.offset` to its end; the caller hashes. A foreign layer comes from its `urls` if one of them
 * has it.
 * @throws A3sError naming the blob, also when it does not have `blob.size` bytes
 */
export async function downloadBlob(
  session: Session,
  subject: Subject,
  blob: Descriptor,
  sink: BlobSink,
  retry: RetryOptions,
): Promise<void> {
  const download = new Download(session, subject, blob, sink);
  const sources = [...foreignUrls(session, blob), undefined];
  for (const source of sources) {
    try {
      return await retrying({ ...retry, progressed: () => download.progressed() }, () => download.go(source));
    } catch (error) {
      // Only a place that lacks the blob, or cannot be reached, sends us to the next one.
      const next = error instanceof A3sError && error.code !== 'registry_protocol' && source !== undefined;
      if (!next) throw error;
    }
  }
}

class Download {
  readonly #session: Session;
  readonly #subject: Subject;
  readonly #blob: Descriptor;
  readonly #sink: BlobSink;
  /** Bytes that the sink has. */
  #have: number;
  /** What it had when progress was last asked about. */
  #mark: number;
  /** Turned off when the server's ranges cannot be trusted. */
  #ranges = true;

  constructor(session: Session, subject: Subject, blob: Descriptor, sink: BlobSink) {
    this.#session = session;
    this.#subject = subject;
    this.#blob = blob;
    this.#sink = sink;
    this.#have = sink.offset;
    this.#mark = sink.offset;
  }

  progressed(): boolean {
    if (this.#have - this.#mark < PROGRESS) return false;
    this.#mark = this.#have;
    return true;
  }

  /** One try; `source` is the registry when left out. */
  async go(source: URL | undefined): Promise<void> {
    const { size, digest } = this.#blob;
    if (this.#have > size) await this.#startOver();
    if (this.#have === size) return;
    const partial = this.#have > 0 && this.#ranges;
    const answer = await this.#session.send({
      method: 'GET',
      url: source ?? this.#session.url(`${this.#subject.repository ?? ''}/blobs/${digest}`),
      subject: this.#subject,
      expect: partial ? [200, 206, 416] : [200],
      ...(partial ? { headers: { range: `bytes=${this.#have}-` } } : {}),
    });
    if (answer.status === 416 || (answer.status === 206 && !this.#continues(answer))) {
      answer.body.destroy();
      this.#ranges = false;
      await this.#startOver();
      return this.go(source);
    }
    try {
      await this.#take(answer);
    } catch (error) {
      throw named(error, this.#subject);
    }
  }

  /** True when a partial answer is what follows the bytes that the sink has. */
  #continues(answer: HttpAnswer): boolean {
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header(answer, 'content-range') ?? '') ?? [];
    return first === String(this.#have) && (total === '*' || total === String(this.#blob.size));
  }

  async #take(answer: HttpAnswer): Promise<void> {
    const { size } = this.#blob;
    // A server that knows no ranges sends everything again.
    let position = answer.status === 206 ? this.#have : 0;
    const length = header(answer, 'content-length');
    if (length !== undefined && Number(length) !== size - position) {
      answer.body.destroy();
      throw this.#wrongSize(`${position + Number(length)}`);
    }
    for await (const chunk of bodyOf(answer)) {
      const fresh = chunk.subarray(Math.max(0, this.#have - position));
      position += chunk.length;
      if (position > size) throw this.#wrongSize(`more than ${size}`);
      if (fresh.length === 0) continue;
      await this.#sink.write(fresh);
      this.#have += fresh.length;
    }
    if (position < size) throw new Transient(this.#wrongSize(String(position)));
  }

  async #startOver(): Promise<void> {
    await this.#sink.restart();
    this.#have = 0;
    this.#mark = 0;
  }

  #wrongSize(bytes: string): A3sError {
    return new A3sError(
      'registry_protocol',
      `${nameOf(this.#subject)}: the registry sent ${bytes} bytes instead of ${this.#blob.size}`,
    );
  }
}

const MAX_URLS = 10;

/** Where a layer that may not be distributed can be had (OCI image specification, descriptor). */
function foreignUrls(session: Session, blob: Descriptor): URL[] {
  const urls = objectOr(blob)['urls'];
  const texts = Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [];
  return texts.slice(0, MAX_URLS).flatMap((text) => {
    try {
      return [session.policy.resolve(text, undefined, 'a layer')];
    } catch {
      // The registry, which is asked last, may have the layer all the same.
      return [];
    }
  });
}
