/** Whom to trust, and who we are, in a TLS connection to one host. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

import { A3sError } from '../../errors.ts';

/** Docker's folder of certificates, one directory for each `host[:port]`. */
export const CERTS_DIR = '/etc/docker/certs.d';

export interface TlsOptions {
  secureContext: SecureContext;
  rejectUnauthorized: boolean;
}

/**
 * Trusts the system's and Node's authorities (`NODE_EXTRA_CA_CERTS` among them), or those in `SSL_CERT_FILE` instead,
 * and the host's own `*.crt` in `certsDir`; shows the host's `NAME.cert` with `NAME.key` when asked for one.
 * @param verify false accepts every certificate
 * @throws A3sError `invalid_config` naming a file that cannot be read or used
 */
export function tlsFor(host: string, verify: boolean, env: NodeJS.ProcessEnv, certsDir: string): TlsOptions {
  const own = certificatesIn(join(certsDir, host));
  const ca = verify ? [...authorities(env), ...own.ca] : [];
  try {
    const secureContext = createSecureContext({ ca, cert: own.cert, key: own.key });
    return { secureContext, rejectUnauthorized: verify };
  } catch (cause) {
    const where = env['SSL_CERT_FILE'] ? `SSL_CERT_FILE or ${join(certsDir, host)}` : join(certsDir, host);
    throw new A3sError('invalid_config', `the certificates for ${host} cannot be used: ${String(cause)}`, {
      hint: `see ${where}`,
      cause,
    });
  }
}

function authorities(env: NodeJS.ProcessEnv): string[] {
  const file = env['SSL_CERT_FILE'];
  if (file) return [read(file)];
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

function certificatesIn(dir: string): { ca: string[]; cert: string[]; key: string[] } {
  const names = existsSync(dir) ? readdirSync(dir).toSorted() : [];
  const ending = (suffix: string): string[] => names.filter((name) => name.endsWith(suffix));
  const clients = ending('.cert');
  return {
    ca: ending('.crt').map((name) => read(join(dir, name))),
    cert: clients.map((name) => read(join(dir, name))),
    key: clients.map((name) => read(join(dir, name.replace(/\.cert$/, '.key')))),
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new A3sError('invalid_config', `${file}: cannot be read`, { cause });
  }
}
