/** A file from a URL that the user gave: with the proxies, certificates and deadlines that registries have. */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';

import { A3sError } from '../../errors.ts';
import { bodyOf, discardBody } from './body.ts';
import { HostPolicy } from './hosts.ts';
import { Transient } from './retry.ts';
import { type HttpAnswer, openTransport, type Transport, TIMING } from './transport.ts';

const MAX_REDIRECTS = 10;

export interface UrlRequest {
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** The header for the URL's own host; without it what the URL holds. */
  authorization?: string | undefined;
  /** The error for an answer that is no success. */
  refused?: (status: number) => A3sError;
}

export interface UrlAnswer {
  headers: IncomingHttpHeaders;
  /** Fails with A3sError; destroying it early closes the connection. */
  content: Readable;
}

/**
 * What is at the URL; a name and a password in it are sent to its host alone.
 * @throws A3sError `registry_unreachable`, what `refused` makes, naming the URL without them; so does the stream.
 */
export async function openUrl(text: string, request: UrlRequest): Promise<UrlAnswer> {
  const url = parse(text);
  const own = credentialsOf(url);
  const { env, signal, authorization = own, refused = (status) => refusalOf(text, status) } = request;
  const options = { policy: new HostPolicy(url.host, []), env, timing: TIMING };
  const transport = await openTransport(signal === undefined ? options : { ...options, signal });
  try {
    const answer = await follow(transport, url, authorization);
    if (answer.status < 200 || answer.status >= 300) {
      await discardBody(answer);
      throw refused(answer.status);
    }
    return { headers: answer.headers, content: Readable.from(content(answer, transport)) };
  } catch (error) {
    await transport.close();
    throw final(error);
  }
}

/** The content of what is at the URL, as `openUrl`. */
export async function fetchUrl(text: string, env: NodeJS.ProcessEnv): Promise<Readable> {
  const { content } = await openUrl(text, { env });
  return content;
}

function refusalOf(text: string, status: number): A3sError {
  const code = status === 404 ? 'not_in_registry' : 'registry_refused';
  return new A3sError(code, `cannot download ${shownUrl(text)}: the server answered ${status}`);
}

/** There is no second try: what another one may not meet counts as well. */
function final(error: unknown): unknown {
  return error instanceof Transient ? error.final : error;
}

/** The URL as messages and histories may have it: without what only its owner should know. */
export function shownUrl(text: string): string {
  const { protocol, host, pathname } = parse(text);
  return `${protocol}//${host}${pathname}`;
}

function parse(text: string): URL {
  if (!URL.canParse(text)) throw new A3sError('usage', 'the URL cannot be read');
  return new URL(text);
}

function credentialsOf(url: URL): string | undefined {
  if (url.username === '') return undefined;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

async function follow(transport: Transport, first: URL, authorization?: string): Promise<HttpAnswer> {
  let url = first;
  for (let n = 0; n <= MAX_REDIRECTS; n += 1) {
    const headers = authorization !== undefined && url.origin === first.origin ? { authorization } : {};
    const answer = await transport.send({ method: 'GET', url, headers });
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status >= 400 || typeof location !== 'string') return answer;
    await discardBody(answer);
    const next = URL.canParse(location, url.href) ? new URL(location, url.href) : null;
    if (next === null || !/^https?:$/.test(next.protocol)) break;
    url = next;
  }
  throw new A3sError(
    'registry_refused',
    `cannot download ${shownUrl(first.href)}: it is redirected without end`,
  );
}

async function* content(answer: HttpAnswer, transport: Transport): AsyncGenerator<Buffer> {
  try {
    yield* bodyOf(answer);
  } catch (error) {
    throw final(error);
  } finally {
    await transport.close();
  }
}
