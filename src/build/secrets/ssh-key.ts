/** Private keys from files, and what they sign (RFC 4253, 5656, 8332, 8709; OpenSSH, PROTOCOL.key). */
import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign as signWith,
} from 'node:crypto';

import { integer, text, WireReader } from './ssh-wire.ts';

const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;
const OPENSSH_MAGIC = Buffer.from('openssh-key-v1\0');
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const PROTECTED = 'ssh: this private key is passphrase protected';
/** Flags of a request (draft-ietf-sshm-ssh-agent, section 4.5.1). */
const [SHA256_FLAG, SHA512_FLAG] = [2, 4];

interface Curve {
  /** As JSON Web Keys call it. */
  web: string;
  ssh: string;
  hash: string;
}

const CURVES: readonly Curve[] = [
  { web: 'P-256', ssh: 'nistp256', hash: 'sha256' },
  { web: 'P-384', ssh: 'nistp384', hash: 'sha384' },
  { web: 'P-521', ssh: 'nistp521', hash: 'sha512' },
];

export interface SshKey {
  /** The public key as SSH writes it. */
  blob: Buffer;
  /** @returns the signature as SSH writes it */
  sign(data: Buffer, flags: number): Buffer;
}

/** @throws Error in the words of Go's golang.org/x/crypto/ssh */
export function parsePrivateKey(file: Buffer): SshKey {
  const content = file.toString('latin1');
  const [, openssh] = OPENSSH.exec(content) ?? [];
  if (openssh !== undefined) return sshKey(fromOpenSsh(Buffer.from(openssh, 'base64')));
  if (!PEM.test(content)) throw new Error('ssh: no key found');
  if (ENCRYPTED.test(content)) throw new Error(PROTECTED);
  return sshKey(createPrivateKey(file));
}

function fromOpenSsh(bytes: Buffer): KeyObject {
  if (!bytes.subarray(0, OPENSSH_MAGIC.length).equals(OPENSSH_MAGIC)) {
    throw new Error('ssh: invalid openssh private key format');
  }
  const outer = new WireReader(bytes.subarray(OPENSSH_MAGIC.length));
  const cipher = outer.text().toString('latin1');
  outer.text();
  outer.text();
  if (cipher !== 'none') throw new Error(PROTECTED);
  if (outer.uint32() !== 1) throw new Error('ssh: multi-key files are not supported');
  outer.text();
  const inner = new WireReader(outer.text());
  if (inner.uint32() !== inner.uint32()) throw new Error('ssh: malformed OpenSSH key');
  return createPrivateKey({ key: webKey(inner.text().toString('latin1'), inner), format: 'jwk' });
}

function webKey(type: string, key: WireReader): JsonWebKey {
  if (type === 'ssh-ed25519') {
    const x = key.text();
    return { kty: 'OKP', crv: 'Ed25519', x: base64(x), d: base64(key.text().subarray(0, 32)) };
  }
  if (type === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = [key.text(), key.text(), key.text(), key.text(), key.text(), key.text()];
    const [dp, dq] = [remainder(d, p), remainder(d, q)];
    const numbers = Object.entries({ n, e, d, p, q, dp, dq, qi });
    return {
      kty: 'RSA',
      ...Object.fromEntries(numbers.map(([name, value]) => [name, base64(unsigned(value))])),
    };
  }
  const curve = CURVES.find(({ ssh }) => type === `ecdsa-sha2-${ssh}`);
  if (curve === undefined) throw new Error(`ssh: unhandled key type ${JSON.stringify(type)}`);
  key.text();
  const point = key.text();
  const length = (point.length - 1) / 2;
  const d = unsigned(key.text());
  return {
    kty: 'EC',
    crv: curve.web,
    x: base64(point.subarray(1, 1 + length)),
    y: base64(point.subarray(1 + length)),
    d: base64(Buffer.concat([Buffer.alloc(Math.max(0, length - d.length)), d])),
  };
}

function sshKey(key: KeyObject): SshKey {
  const { kty, crv, x, y, n, e } = createPublicKey(key).export({ format: 'jwk' });
  if (kty === 'OKP' && crv === 'Ed25519') {
    const name = text('ssh-ed25519');
    return {
      blob: Buffer.concat([name, text(bytesOf(x))]),
      sign: (data) => Buffer.concat([name, text(signWith(null, data, key))]),
    };
  }
  if (kty === 'RSA') {
    return {
      blob: Buffer.concat([text('ssh-rsa'), integer(bytesOf(e)), integer(bytesOf(n))]),
      sign(data, flags) {
        const [name, hash] = rsaAlgorithm(flags);
        return Buffer.concat([text(name), text(signWith(hash, data, key))]);
      },
    };
  }
  const curve = CURVES.find(({ web }) => kty === 'EC' && web === crv);
  if (curve === undefined) throw new Error(`ssh: unsupported key type ${String(crv ?? kty)}`);
  const name = text(`ecdsa-sha2-${curve.ssh}`);
  const point = Buffer.concat([Buffer.from([4]), bytesOf(x), bytesOf(y)]);
  return {
    blob: Buffer.concat([name, text(curve.ssh), text(point)]),
    sign(data) {
      const pair = signWith(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' });
      const half = pair.length / 2;
      const numbers = [integer(pair.subarray(0, half)), integer(pair.subarray(half))];
      return Buffer.concat([name, text(Buffer.concat(numbers))]);
    },
  };
}

function rsaAlgorithm(flags: number): [name: string, hash: string] {
  if ((flags & SHA512_FLAG) !== 0) return ['rsa-sha2-512', 'sha512'];
  if ((flags & SHA256_FLAG) !== 0) return ['rsa-sha2-256', 'sha256'];
  return ['ssh-rsa', 'sha1'];
}

/** Without the zero that keeps a number positive. */
function unsigned(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64url');
}

function bytesOf(value: string | undefined): Buffer {
  return Buffer.from(value ?? '', 'base64url');
}

/** d mod (prime - 1), which the file leaves out. */
function remainder(d: Buffer, prime: Buffer): Buffer {
  const value = number(d) % (number(prime) - 1n);
  const digits = value.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
}

function number(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}
