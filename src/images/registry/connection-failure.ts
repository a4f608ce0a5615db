/** Connections that fail, in the words of Go's net/http, which is who speaks in Docker's messages. */
import { A3sError } from '../../errors.ts';
import { printable } from './printable.ts';
import { Transient } from './retry.ts';
import type { Timing } from './transport.ts';

const UNKNOWN_AUTHORITY = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
];
const VERIFY = 'tls: failed to verify certificate: x509:';
const TRUST = 'put its authority into /etc/docker/certs.d/HOST/ca.crt, or name it in SSL_CERT_FILE';

/** What OpenSSL says of a server that does not speak TLS. */
const NOT_TLS = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'];

/** Failures that another try may not meet. A refusal counts: a registry that restarts refuses for a while. */
const TRANSIENT = [
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
];

/** The error of a request or of the body of its answer: `Transient` when it may be tried again. */
export function connectionFailure(
  error: unknown,
  method: string,
  url: URL,
  timing: Timing,
): A3sError | Transient {
  if (error instanceof A3sError || error instanceof Transient) return error;
  const code = codeOf(error);
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  // The query may hold what was signed for us.
  const shown = `${url.origin}${url.pathname}`;
  const failure = new A3sError(
    'registry_unreachable',
    `${verb} "${shown}": ${wordsFor(code, error, url, timing)}`,
    { cause: error, ...(UNKNOWN_AUTHORITY.includes(code) ? { hint: TRUST.replace('HOST', url.host) } : {}) },
  );
  return TRANSIENT.includes(code) ? new Transient(failure) : failure;
}

/** True for the failure of TLS with a server that speaks plain HTTP, or of a port where nobody listens. */
export function mayBePlain(error: unknown): boolean {
  const failure = error instanceof Transient ? error.final : error;
  if (!(failure instanceof A3sError)) return false;
  return ['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET', ...NOT_TLS].includes(codeOf(failure.cause));
}

/** A registry that was not there at all will not be in a second: what answered before may, and is tried again. */
export function atFirstContact(error: unknown): unknown {
  if (!(error instanceof Transient)) return error;
  return ['ECONNREFUSED', 'EAI_AGAIN'].includes(codeOf(error.final.cause)) ? error.final : error;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const { cause } = error instanceof Error ? error : { cause: undefined };
  // A proxy's failure to connect hides the reason one level down.
  return code === 'UND_ERR_ABORTED' && cause !== undefined ? codeOf(cause) : code;
}

function wordsFor(code: string, error: unknown, url: URL, timing: Timing): string {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const dial = `dial tcp ${addressOf(error) ?? url.hostname}:${port}`;
  if (UNKNOWN_AUTHORITY.includes(code)) return `${VERIFY} certificate signed by unknown authority`;
  if (NOT_TLS.includes(code)) return 'http: server gave HTTP response to HTTPS client';
  switch (code) {
    case 'ENOTFOUND':
      return `dial tcp: lookup ${url.hostname}: no such host`;
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${url.hostname}: temporary failure in name resolution`;
    case 'ECONNREFUSED':
      return `${dial}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `${dial}: connect: no route to host`;
    case 'ENETUNREACH':
      return `${dial}: connect: network is unreachable`;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${dial}: i/o timeout`;
    case 'UND_ERR_HEADERS_TIMEOUT':
      return `no answer within ${timing.idleMs / 1000} s`;
    case 'UND_ERR_BODY_TIMEOUT':
      return `no data for ${timing.idleMs / 1000} s`;
    case 'ECONNRESET':
    case 'EPIPE':
      return 'connection reset by peer';
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return 'unexpected EOF';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `${VERIFY} certificate has expired or is not yet valid`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `${VERIFY} certificate is not valid for ${url.hostname}`;
    default:
      return printable(error instanceof Error ? error.message : String(error));
  }
}

function addressOf(error: unknown): string | undefined {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error) || !('address' in first)) return undefined;
  return typeof first.address === 'string' ? first.address : undefined;
}
