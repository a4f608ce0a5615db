/** Trying a name and a password on a registry. */
import { A3sError } from '../../errors.ts';
import { discardBody } from './body.ts';
import { connect, type ConnectOptions, type Connection } from './connect.ts';
import type { Credential } from './credential.ts';
import { errorDetail } from './refusal.ts';
import { retrying } from './retry.ts';
import { TokenRefused } from './token.ts';
import { TIMING } from './transport.ts';

export type LoginOptions = Omit<ConnectOptions, 'credentials' | 'timing' | 'offline'>;

/**
 * Proves a credential to the registry of `domain`.
 * @returns what to keep: the credential, or the identity token that the registry gives in its place
 * @throws A3sError `unauthorized` in Docker's words; as connect
 */
export async function verifyCredential(
  domain: string,
  credential: Credential,
  options: LoginOptions = {},
): Promise<Credential> {
  const connection = await connect(domain, {
    ...options,
    timing: TIMING,
    offline: true,
    credentials: { get: () => Promise.resolve(credential) },
  });
  try {
    const retry = { retryMs: TIMING.retryMs, signal: options.signal, onRetry: options.onRetry };
    return await retrying(retry, () => show(connection, domain, credential));
  } finally {
    await connection.close();
  }
}

async function show(
  { session, authorizer }: Connection,
  domain: string,
  credential: Credential,
): Promise<Credential> {
  const url = session.url('');
  let identity: string | undefined;
  if (authorizer.takesTokens && credential.kind !== 'access') {
    ({ identity } = await authorizer.token([]).catch((error: unknown) => {
      if (!(error instanceof TokenRefused)) throw error;
      const detail = errorDetail(error.status, error.body);
      throw new A3sError('unauthorized', `Get "${url.href}": ${detail}`);
    }));
  }
  const subject = { domain, kind: 'registry', push: false } as const;
  const answer = await session.send({ method: 'GET', url, subject, expect: [200, 401] });
  await discardBody(answer);
  if (answer.status === 401) {
    throw new A3sError('unauthorized', `login attempt to ${url.href} failed with status: 401 Unauthorized`);
  }
  if (identity === undefined || credential.kind !== 'password') return credential;
  return { kind: 'identity', username: credential.username, token: identity };
}
