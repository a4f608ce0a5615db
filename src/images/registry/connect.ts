/** The first contact with a registry: over which scheme it answers, and how it wants to be asked. */
import { Authorizer } from './authorizer.ts';
import { discardBody } from './body.ts';
import { atFirstContact, mayBePlain } from './connection-failure.ts';
import type { CredentialSource } from './credential.ts';
import { HostPolicy, hostOf, insecureFromEnvironment } from './hosts.ts';
import { retrying } from './retry.ts';
import { Session } from './session.ts';
import { openTransport, type HttpAnswer, type Timing, type Transport } from './transport.ts';

export interface ConnectOptions {
  credentials: CredentialSource;
  timing: Timing;
  signal?: AbortSignal;
  insecure?: readonly string[];
  onRetry?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
  certsDir?: string;
  /** Asks for identity tokens (login). */
  offline?: boolean;
  /** What is asked first, `/v2/` when left out. */
  probe?: string;
}

export interface Connection {
  session: Session;
  authorizer: Authorizer;
  close: () => Promise<void>;
}

/** @throws A3sError `registry_unreachable`, `registry_protocol`, `invalid_config` */
export async function connect(domain: string, options: ConnectOptions): Promise<Connection> {
  const { timing, credentials, signal, env = process.env } = options;
  const host = hostOf(domain);
  const policy = new HostPolicy(host, [...(options.insecure ?? []), ...insecureFromEnvironment(env)]);
  const transport = await openTransport({
    policy,
    env,
    timing,
    ...(signal === undefined ? {} : { signal }),
    ...(options.certsDir === undefined ? {} : { certsDir: options.certsDir }),
  });
  try {
    const retry = { retryMs: timing.retryMs, signal, onRetry: options.onRetry };
    const answer = await retrying(retry, () =>
      greet(transport, host, options.probe ?? '/v2/', policy.isInsecure(host)).catch((error: unknown) => {
        throw atFirstContact(error);
      }),
    );
    const authorizer = new Authorizer({
      domain,
      transport,
      policy,
      credentials,
      ...(options.offline === undefined ? {} : { offline: options.offline }),
    });
    if (answer.status === 401) await authorizer.learn(answer, [], undefined);
    await discardBody(answer);
    const base = new URL('/', answer.url);
    const session = new Session({ domain, base, transport, policy, authorizer });
    return { session, authorizer, close: () => transport.close() };
  } catch (error) {
    await transport.close();
    throw error;
  }
}

/** Asks over TLS first; where plain HTTP is acceptable, a server that does not speak TLS gets a second question. */
async function greet(transport: Transport, host: string, path: string, plain: boolean): Promise<HttpAnswer> {
  const ask = (scheme: string): Promise<HttpAnswer> =>
    transport.send({ method: 'GET', url: new URL(`${scheme}://${host}${path}`), headers: {} });
  if (!plain) return ask('https');
  return ask('https').catch((error: unknown) => {
    if (mayBePlain(error)) return ask('http');
    throw error;
  });
}
