/** What a source of COPY and ADD is, and which flags it allows (BuildKit's dockerfile2llb/convert_copy.go). Pure. */
import { DockerfileError } from '../error.ts';
import type { Add, Copy } from '../instructions/types.ts';

export type TransferSourceKind = 'path' | 'url' | 'git';

const URL_START = /^https?:\/\//i;
const GIT_URL_START = /^(?:git|ssh):\/\//i;
/** `git@host:path`, with any user. */
const SCP_STYLE = /^[\w.-]+@[\w.-]+:[^\s]*$/;
const OCTAL = /^[0-7]{1,12}$/;
const SYMBOLIC = /^(?:[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+)(?:,[ugoa]*(?:[-+=](?:[rwxXst]*|[ugo]))+)*$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const MODE_MAX = 0o7777;

/** A URL whose path ends with `.git` is a repository. `github.com/…` without a scheme is a path. */
export function transferSourceKind(source: string): TransferSourceKind {
  if (GIT_URL_START.test(source) || SCP_STYLE.test(source)) return 'git';
  if (!URL_START.test(source)) return 'path';
  const [path = ''] = source.split(/[?#]/, 1);
  return path.endsWith('.git') ? 'git' : 'url';
}

/**
 * Refuses what cannot be done.
 * @throws DockerfileError
 */
export function checkTransfer(transfer: Copy | Add): void {
  checkMode(transfer.chmod);
  if (transfer.kind === 'copy') {
    for (const source of transfer.sources) {
      const kind = transferSourceKind(source);
      if (kind === 'git') throw new DockerfileError("source can't be a git ref for COPY");
      if (kind === 'url') throw new DockerfileError("source can't be a URL for COPY");
    }
  } else if (transfer.checksum !== '') checkChecksum(transfer);
}

function checkChecksum({ sources, checksum }: Add): void {
  const [source = '', ...more] = sources;
  if (sources.length === 0 || more.length > 0) {
    throw new DockerfileError("checksum can't be specified for multiple sources");
  }
  const kind = transferSourceKind(source);
  if (kind === 'path') throw new DockerfileError('checksum requires HTTP(S) or Git sources');
  if (kind === 'url' && !DIGEST.test(checksum)) {
    const known = /^(?:sha256|sha384|sha512):/.test(checksum);
    const form = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(checksum);
    if (!form) throw new DockerfileError('invalid checksum digest format');
    throw new DockerfileError(known ? 'invalid checksum digest length' : 'unsupported digest algorithm');
  }
}

function checkMode(mode: string): void {
  if (mode === '') return;
  if (OCTAL.test(mode) ? Number.parseInt(mode, 8) <= MODE_MAX : SYMBOLIC.test(mode)) return;
  throw new DockerfileError(
    `invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`,
  );
}
