/** Requests to one registry: authorised, redirected where it says so, and failing in one way. */
import type { Readable } from 'node:stream';

import { A3sError } from '../../errors.ts';
import type { Authorizer } from './authorizer.ts';
import { discardBody, readErrorBody } from './body.ts';
import type { HostPolicy } from './hosts.ts';
import { nameOf, refusal, transientAnswer, type Subject } from './refusal.ts';
import { Transient, isTransientStatus } from './retry.ts';
import { TokenRefused } from './token.ts';
import { header, type HttpAnswer, type HttpRequest, type Transport } from './transport.ts';

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface Call {
  method: HttpRequest['method'];
  url: URL;
  subject: Subject;
  /** Statuses that are a success for the caller; any other is an error. */
  expect: readonly number[];
  /** Scopes of the token; the subject's own when left out. */
  scopes?: readonly string[];
  headers?: Record<string, string>;
  /** Made anew for every try. */
  body?: () => Readable | Buffer;
  patient?: boolean;
}

export interface SessionOptions {
  domain: string;
  /** `https://registry-1.docker.io`. */
  base: URL;
  transport: Transport;
  policy: HostPolicy;
  authorizer: Authorizer;
}

export class Session {
  readonly domain: string;
  readonly base: URL;
  readonly policy: HostPolicy;
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;

  constructor(options: SessionOptions) {
    this.domain = options.domain;
    this.base = options.base;
    this.policy = options.policy;
    this.#transport = options.transport;
    this.#authorizer = options.authorizer;
  }

  /** An address below the registry's `/v2/`. */
  url(path: string): URL {
    return new URL(`/v2/${path}`, this.base);
  }

  /**
   * Sends a request until an answer is one of those expected.
   * @throws A3sError naming the subject; Transient when another try may succeed
   */
  async send(call: Call): Promise<HttpAnswer> {
    const { subject } = call;
    const answer = await this.#follow(call).catch((error: unknown) => {
      throw named(error, subject);
    });
    if (call.expect.includes(answer.status)) return answer;
    const failure = refusal(answer.status, await readErrorBody(answer), subject);
    throw isTransientStatus(answer.status) ? transientAnswer(answer, failure) : failure;
  }

  async #follow(call: Call): Promise<HttpAnswer> {
    let { url } = call;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const answer = await this.#authorised({ ...call, url });
      if (!REDIRECTS.has(answer.status) || (call.method !== 'GET' && call.method !== 'HEAD')) return answer;
      await discardBody(answer);
      url = this.policy.resolve(header(answer, 'location') ?? '', url, 'a redirect');
    }
    throw new A3sError('registry_protocol', `stopped after ${MAX_REDIRECTS} redirects`);
  }

  /** One request. Only the registry itself is shown who asks: never a host that it redirects to. */
  async #authorised(call: Call): Promise<HttpAnswer> {
    if (call.url.origin !== this.base.origin) return this.#once(call, undefined);
    const scopes = call.scopes ?? scopesOf(call.subject);
    const used = await this.#authorizer.headerFor(scopes);
    const answer = await this.#once(call, used);
    if (answer.status !== 401 || !(await this.#authorizer.learn(answer, scopes, used))) return answer;
    await discardBody(answer);
    return this.#once(call, await this.#authorizer.headerFor(scopes));
  }

  #once({ method, url, headers, body, patient }: Call, authorization: string | undefined) {
    return this.#transport.send({
      method,
      url,
      headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
      ...(body === undefined ? {} : { body: body() }),
      ...(patient === undefined ? {} : { patient }),
    });
  }
}

/** `repository:library/alpine:pull` (distribution, docs/spec/auth/scope.md). */
export function scopesOf({ repository, push }: Subject): string[] {
  return repository === undefined ? [] : [`repository:${repository}:${push ? 'pull,push' : 'pull'}`];
}

/** Puts the subject's name before what was said without knowing it, and its words into a refused token. */
export function named(error: unknown, subject: Subject): unknown {
  if (error instanceof TokenRefused) return refusal(error.status, error.body, subject);
  if (error instanceof Transient) {
    const final = named(error.final, subject);
    return final instanceof A3sError ? new Transient(final, error.retryAfterMs) : error;
  }
  if (!(error instanceof A3sError)) return error;
  const name = nameOf(subject);
  // A failed connection names its address, which is enough where the whole registry is the subject.
  const nameless =
    error.code === 'registry_protocol' ||
    (error.code === 'registry_unreachable' && subject.kind !== 'registry');
  if (!nameless || error.message.startsWith(name)) return error;
  return new A3sError(error.code, `${name}: ${error.message}`, {
    cause: error.cause,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
