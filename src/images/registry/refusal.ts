/** Answers that are no success, in Docker's words where scripts know them. */
import { STATUS_CODES } from 'node:http';

import { A3sError } from '../../errors.ts';
import { objectOr } from '../../json.ts';
import { familiarName } from '../reference.ts';
import { parseObject } from './body.ts';
import { printable } from './printable.ts';
import { Transient, retryAfterMs } from './retry.ts';
import { header, type HttpAnswer } from './transport.ts';

/** What a request was about. */
export interface Subject {
  domain: string;
  /** Missing where a request concerns the whole registry. */
  repository?: string;
  kind: 'registry' | 'tags' | 'manifest' | 'blob';
  /** Tag or digest. */
  reference?: string;
  push: boolean;
}

/** `alpine`, `localhost:5000/x`. */
export function repositoryOf({ domain, repository = '' }: Subject): string {
  return familiarName({ domain, path: repository, tag: undefined, digest: undefined });
}

/** `blob sha256:… of localhost:5000/x`, `localhost:5000/x:1`, `registry localhost:5000`. */
export function nameOf(subject: Subject): string {
  const { kind, reference = '', domain } = subject;
  if (kind === 'registry') return `registry ${domain}`;
  const repository = repositoryOf(subject);
  if (kind === 'tags') return `tags of ${repository}`;
  if (kind === 'blob')
    return reference === '' ? `blobs of ${repository}` : `blob ${reference} of ${repository}`;
  return `${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
}

/** The error for a status that is no success; `body` is the answer's, as far as it was read. */
export function refusal(status: number, body: string, subject: Subject): A3sError {
  const detail = errorDetail(status, body);
  const name = nameOf(subject);
  const repository = repositoryOf(subject);
  if (status === 401 || status === 403) {
    const hint = `log in with \`a3s-box login${subject.domain === 'docker.io' ? '' : ` ${subject.domain}`}\``;
    if (subject.kind === 'registry') return new A3sError('unauthorized', `${name}: ${detail}`, { hint });
    const text = subject.push
      ? `push access denied for ${repository}: ${detail}`
      : `pull access denied for ${repository}, repository does not exist or may require 'docker login': ${detail}`;
    return new A3sError('unauthorized', text, { hint });
  }
  if (status === 404) {
    if (detail.startsWith('name unknown')) {
      return new A3sError('not_in_registry', `repository ${repository} not found: ${detail}`);
    }
    const what = subject.kind === 'manifest' ? `manifest for ${name}` : name;
    return new A3sError('not_in_registry', `${what} not found: ${detail}`);
  }
  return new A3sError('registry_refused', `${name}: ${detail}`);
}

/** A failure that passes, with the wait that the server asked for. */
export function transientAnswer(answer: HttpAnswer, failure: A3sError): Transient {
  return new Transient(failure, retryAfterMs(header(answer, 'retry-after')));
}

/**
 * `manifest unknown: manifest unknown`: code and message of the first error in a registry's document
 * (OCI distribution specification, Error Codes), else the status.
 */
export function errorDetail(status: number, body: string): string {
  const fields = parseObject(body);
  const first = objectOr(Array.isArray(fields['errors']) ? fields['errors'][0] : undefined);
  const { code, message } = first;
  if (typeof code === 'string' && code !== '') {
    const words = code.toLowerCase().replaceAll('_', ' ');
    return printable(typeof message === 'string' && message !== '' ? `${words}: ${message}` : words);
  }
  // Token servers and some registries have one message of their own.
  const own = fields['details'] ?? fields['message'] ?? fields['error_description'] ?? fields['error'];
  const text = typeof own === 'string' ? own : undefined;
  const known = STATUS_WORDS[status];
  if (known !== undefined) return printable(`${known[0]}: ${text ?? known[1]}`);
  const reason = STATUS_CODES[status] ?? '';
  const unexpected = `received unexpected HTTP status: ${status} ${reason}`.trimEnd();
  return printable(text === undefined ? unexpected : `${unexpected}: ${text}`);
}

const STATUS_WORDS: Readonly<Record<number, readonly [code: string, message: string]>> = {
  401: ['unauthorized', 'authentication required'],
  403: ['denied', 'requested access to the resource is denied'],
  404: ['not found', 'the registry does not have it'],
  429: ['toomanyrequests', 'too many requests'],
};
