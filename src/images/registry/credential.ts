/** What a user shows to a registry. */

/** A name with a password, a token that buys access tokens (OAuth 2.0), or an access token itself. */
export type Credential =
  | { kind: 'password'; username: string; password: string }
  | { kind: 'identity'; username: string; token: string }
  | { kind: 'access'; token: string };

export interface CredentialSource {
  /** What is known for the registry of this domain (`docker.io`, `localhost:5000`), or null. */
  get(domain: string): Promise<Credential | null>;
}

/** For registries that are asked as anybody. */
export const anonymous: CredentialSource = { get: () => Promise.resolve(null) };

/** `Authorization` of a name with a password (RFC 7617). */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
