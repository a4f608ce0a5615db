/**
 * Access tokens from the server that a registry names
 * (Docker's token specification: github.com/distribution/distribution, docs/spec/auth/token.md and oauth.md).
 */
import { A3sError } from '../../errors.ts';
import { parseObject, readBody, readErrorBody } from './body.ts';
import { basic, type Credential } from './credential.ts';
import { errorDetail, transientAnswer } from './refusal.ts';
import { isTransientStatus } from './retry.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const CLIENT_ID = 'a3s-box';
/** Tokens go into a header: more would not fit there. */
const MAX_TOKEN = 64 * 1024;
/** Seconds that a token lives which does not say so. */
const DEFAULT_LIFE = 60;
/** Part of its life after which a token is replaced rather than used. */
const USEFUL_LIFE = 0.8;

export interface TokenRequest {
  realm: URL;
  service: string | undefined;
  scopes: readonly string[];
  credential: Credential | null;
  /** Asks for an identity token as well, to keep instead of the password. */
  offline: boolean;
}

export interface Token {
  access: string;
  identity: string | undefined;
  /** Milliseconds of the monotonic clock. */
  usefulUntil: number;
}

/**
 * Asks for one token: by GET with a password or nothing, by POST with an identity token.
 * @throws TokenRefused, A3sError `registry_protocol`, Transient
 */
export async function fetchToken(transport: Transport, request: TokenRequest): Promise<Token> {
  const answer = await transport.send(
    request.credential?.kind === 'identity'
      ? oauthRequest(request, request.credential.token)
      : plainRequest(request),
  );
  if (answer.status !== 200) throw await refusedToken(answer);
  const fields = parseObject((await readBody(answer)).toString());
  const access = fields['token'] ?? fields['access_token'];
  // A line break in it would be a header of the server's making.
  if (typeof access !== 'string' || !/^[\x21-\x7e]+$/.test(access) || access.length > MAX_TOKEN) {
    throw new A3sError('registry_protocol', `${request.realm.host} answered without a usable token`);
  }
  const life = fields['expires_in'];
  const seconds = typeof life === 'number' && life > 0 ? life : DEFAULT_LIFE;
  const identity = fields['refresh_token'];
  return {
    access,
    identity: typeof identity === 'string' && identity.length <= MAX_TOKEN ? identity : undefined,
    usefulUntil: performance.now() + seconds * 1000 * USEFUL_LIFE,
  };
}

function plainRequest({ realm, service, scopes, credential, offline }: TokenRequest) {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const headers: Record<string, string> = {};
  if (credential?.kind === 'password') {
    headers['authorization'] = basic(credential.username, credential.password);
    url.searchParams.set('account', credential.username);
  }
  if (offline) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', CLIENT_ID);
  }
  return { method: 'GET', url, headers } as const;
}

function oauthRequest({ realm, service, scopes }: TokenRequest, refreshToken: string) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: CLIENT_ID,
    refresh_token: refreshToken,
    ...(service === undefined ? {} : { service }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  });
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  } as const;
}

/** The token server's refusal; whoever knows what the token was for puts it into words. */
export class TokenRefused extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`no token: status ${status}`);
    this.status = status;
    this.body = body;
  }
}

async function refusedToken(answer: HttpAnswer): Promise<Error> {
  const body = await readErrorBody(answer);
  if (!isTransientStatus(answer.status)) return new TokenRefused(answer.status, body);
  const detail = errorDetail(answer.status, body);
  return transientAnswer(answer, new A3sError('registry_unreachable', `${answer.url.host}: ${detail}`));
}
