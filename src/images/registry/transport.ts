/** One HTTP request and its answer. Only this module loads undici, which takes 40 ms. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

import type { Dispatcher } from 'undici';

import { connectionFailure } from './connection-failure.ts';
import type { HostPolicy } from './hosts.ts';
import { proxyFor } from './proxies.ts';
import { CERTS_DIR, tlsFor } from './tls.ts';

/** Milliseconds; tests shorten them. */
export interface Timing {
  /** Until a connection stands. */
  connectMs: number;
  /** Without a byte from the other side. */
  idleMs: number;
  /** First wait before another try; it doubles. */
  retryMs: number;
}

export const TIMING: Timing = { connectMs: 15_000, idleMs: 30_000, retryMs: 500 };

/** Registries hash or copy a whole blob before they answer the end of an upload. */
const PATIENCE = 10;
/** More than the layers of one image that move at a time. */
const CONNECTIONS = 8;

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body?: Readable | Buffer;
  /** The answer may take ten times as long as others. */
  patient?: boolean;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Has to be read to its end or destroyed. */
  body: Dispatcher.ResponseData['body'];
  url: URL;
  /** What a failure of the body means: as `send` throws. */
  explain: (error: unknown) => unknown;
}

export interface TransportOptions {
  policy: HostPolicy;
  env: NodeJS.ProcessEnv;
  timing: Timing;
  /** Docker's folder of certificates when left out. */
  certsDir?: string;
  signal?: AbortSignal;
}

export interface Transport {
  /** @throws what connectionFailure makes of a connection that fails; the signal's reason when it is aborted */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Connections to any number of hosts, kept alive between requests. */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const { Agent, ProxyAgent, request: fetch } = await import('undici');
  const { policy, env, timing, signal } = options;
  const dispatchers = new Map<string, Dispatcher>();

  function dispatcherFor(url: URL): Dispatcher {
    const known = dispatchers.get(url.origin);
    if (known !== undefined) return known;
    const { host } = url;
    const secure = url.protocol === 'https:';
    const tls = secure ? tlsFor(host, !policy.isInsecure(host), env, options.certsDir ?? CERTS_DIR) : {};
    // One connection a download: in HTTP/2 a slow reader of one blob would hold up the others.
    const connect = { timeout: timing.connectMs, allowH2: false };
    const pool = { connections: CONNECTIONS, allowH2: false };
    const proxy = proxyFor(url, env);
    const dispatcher =
      proxy === undefined
        ? new Agent({ ...pool, connect: { ...connect, ...tls } })
        : new ProxyAgent({ ...pool, uri: proxy, proxyTls: connect, requestTls: { ...connect, ...tls } });
    dispatchers.set(url.origin, dispatcher);
    return dispatcher;
  }

  return {
    async send(request) {
      const { method, url, headers, body = null, patient = false } = request;
      signal?.throwIfAborted();
      const explain = (error: unknown): unknown =>
        signal?.aborted === true ? signal.reason : connectionFailure(error, method, url, timing);
      try {
        const answer = await fetch(url, {
          method,
          // Compressed in transit, a blob would have neither its size nor its ranges.
          headers: { 'user-agent': 'a3s-box', 'accept-encoding': 'identity', ...headers },
          body,
          dispatcher: dispatcherFor(url),
          headersTimeout: timing.idleMs * (patient ? PATIENCE : 1),
          bodyTimeout: timing.idleMs,
          ...(signal === undefined ? {} : { signal }),
        });
        // A body that is dropped fails where nobody listens; who reads it is told all the same.
        answer.body.on('error', () => {});
        return { status: answer.statusCode, headers: answer.headers, body: answer.body, url, explain };
      } catch (error) {
        throw explain(error);
      }
    },
    async close() {
      await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

/** A header's one value. */
export function header(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
