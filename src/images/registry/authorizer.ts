/** What goes into `Authorization` for one registry: nothing, Basic, or tokens by their scope. */
import { A3sError } from '../../errors.ts';
import { parseChallenges } from './challenge.ts';
import { basic, type Credential, type CredentialSource } from './credential.ts';
import type { HostPolicy } from './hosts.ts';
import { fetchToken, type Token } from './token.ts';
import type { HttpAnswer, Transport } from './transport.ts';

const MAX_SCOPE = 4096;

/** How the registry wants to be spoken to, from its last challenge. */
type Way = { scheme: 'none' } | { scheme: 'basic' } | { scheme: 'bearer'; realm: URL; service?: string };

export interface AuthorizerOptions {
  domain: string;
  transport: Transport;
  policy: HostPolicy;
  credentials: CredentialSource;
  /** Asks for an identity token with each token (login). */
  offline?: boolean;
}

export class Authorizer {
  readonly #options: AuthorizerOptions;
  #way: Way = { scheme: 'none' };
  #credential: Promise<Credential | null> | undefined;
  /** By scope; requests that need the same token at the same time share one question. */
  readonly #tokens = new Map<string, Promise<Token>>();
  /** The scope that the registry asked for where we asked for another. */
  readonly #asked = new Map<string, string[]>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** True when the registry takes tokens rather than passwords. */
  get takesTokens(): boolean {
    return this.#way.scheme === 'bearer';
  }

  /** The header's value for a request that needs these scopes (`repository:x:pull`), if any. */
  async headerFor(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#way.scheme === 'none') return undefined;
    const credential = await this.#known();
    if (credential?.kind === 'access') return `Bearer ${credential.token}`;
    if (this.#way.scheme === 'bearer') return `Bearer ${(await this.token(scopes)).access}`;
    if (credential?.kind !== 'password') return undefined;
    return basic(credential.username, credential.password);
  }

  /** The token for these scopes, from the cache while it is of use. */
  async token(scopes: readonly string[]): Promise<Token> {
    const key = scopes.join(' ');
    const cached = this.#tokens.get(key);
    if (cached !== undefined) {
      const token = await cached;
      if (performance.now() < token.usefulUntil) return token;
      // Whoever came first replaces it.
      if (this.#tokens.get(key) === cached) this.#tokens.delete(key);
      return this.token(scopes);
    }
    const question = this.#ask(this.#asked.get(key) ?? scopes);
    this.#tokens.set(key, question);
    question.catch(() => this.#tokens.delete(key));
    return question;
  }

  /**
   * Learns from a 401 to a request that carried `used`.
   * @returns true when the same request may fare better now
   */
  async learn(answer: HttpAnswer, scopes: readonly string[], used: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(answer.headers['www-authenticate']);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const key = scopes.join(' ');
    if (bearer === undefined) {
      if (!challenges.some(({ scheme }) => scheme === 'basic')) return false;
      this.#way = { scheme: 'basic' };
      return used === undefined && (await this.#known()) !== null;
    }
    const realm = bearer.parameters.get('realm');
    const service = bearer.parameters.get('service');
    if (realm === undefined) {
      throw new A3sError(
        'registry_protocol',
        `registry ${this.#options.domain} asks for a token without a realm`,
      );
    }
    const url = this.#options.policy.resolve(
      realm,
      undefined,
      `the realm of registry ${this.#options.domain}`,
    );
    this.#way = { scheme: 'bearer', realm: url, ...(service === undefined ? {} : { service }) };
    const scope = bearer.parameters.get('scope')?.slice(0, MAX_SCOPE);
    if (scope !== undefined && scope !== '') this.#asked.set(key, scope.split(' '));
    await this.#forget(key, used);
    return true;
  }

  /** Drops a token that the registry did not take, unless another request has replaced it already. */
  async #forget(key: string, used: string | undefined): Promise<void> {
    const cached = this.#tokens.get(key);
    const token = await cached?.catch(() => undefined);
    if (token !== undefined && `Bearer ${token.access}` === used && this.#tokens.get(key) === cached) {
      this.#tokens.delete(key);
    }
  }

  #known(): Promise<Credential | null> {
    this.#credential ??= this.#options.credentials.get(this.#options.domain);
    return this.#credential;
  }

  async #ask(scopes: readonly string[]): Promise<Token> {
    if (this.#way.scheme !== 'bearer')
      throw new Error('a token was wanted before the registry asked for one');
    const { transport, offline = false } = this.#options;
    const { realm, service } = this.#way;
    const credential = await this.#known();
    return fetchToken(transport, { realm, service, scopes, credential, offline });
  }
}
