/** Names of images, normalised as Docker does (github.com/distribution/reference). */
import { A3sError } from '../errors.ts';

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library/';
const DEFAULT_TAG = 'latest';

const DOMAIN_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const NAME_MAX = 255;

export interface Reference {
  /** Registry, e.g. `docker.io`. */
  domain: string;
  /** Repository in the registry, e.g. `library/alpine`. */
  path: string;
  /** `latest` when the text has neither tag nor digest. */
  tag: string | undefined;
  digest: string | undefined;
}

/** True for `sha256:` and 64 hex digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * The parts of an image name: `alpine`, `a3s/base:1`, `localhost:5000/x@sha256:…`.
 * @throws A3sError `usage` in Docker's words.
 */
export function parseReference(text: string): Reference {
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) throw invalid();
  if (/^[0-9a-f]{64}$/.test(named)) {
    throw new A3sError(
      'usage',
      `invalid repository name (${named}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const { name, tag } = splitTag(named);
  const { domain, path } = splitDomain(name);
  if (!PATH.test(path)) {
    if (PATH.test(path.toLowerCase())) {
      throw new A3sError('usage', `invalid reference format: repository name (${path}) must be lowercase`);
    }
    throw invalid();
  }
  if (!DOMAIN.test(domain) || domain.length + path.length + 1 > NAME_MAX) throw invalid();
  if (tag !== undefined && !TAG.test(tag)) throw invalid();
  return { domain, path, tag: tag ?? (digest === undefined ? DEFAULT_TAG : undefined), digest };
}

function splitTag(text: string): { name: string; tag: string | undefined } {
  const colon = text.lastIndexOf(':');
  // A colon before a slash belongs to the registry's port.
  if (colon < 0 || text.indexOf('/', colon) >= 0) return { name: text, tag: undefined };
  return { name: text.slice(0, colon), tag: text.slice(colon + 1) };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const domain = isDomain ? first : DEFAULT_DOMAIN;
  const path = isDomain ? name.slice(slash + 1) : name;
  const registry = domain === LEGACY_DOMAIN ? DEFAULT_DOMAIN : domain;
  return {
    domain: registry,
    path: registry === DEFAULT_DOMAIN && !path.includes('/') ? OFFICIAL + path : path,
  };
}

/** The whole name with its tag, as the store keeps it: `docker.io/library/alpine:latest`. */
export function canonicalTag(reference: Reference): string {
  return `${reference.domain}/${reference.path}:${reference.tag ?? DEFAULT_TAG}`;
}

/** The repository as users write it: `alpine`, `a3s/base`, `ghcr.io/x/y`. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  const { path } = reference;
  const short = path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : path;
  // `library/a/b` cut to `a/b` would mean another repository.
  return short.includes('/') ? path : short;
}

/** The name as users write it, with its tag and digest: `alpine:latest`. */
export function familiarString(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${familiarName(reference)}${tag}${digest}`;
}

function invalid(): A3sError {
  return new A3sError('usage', 'invalid reference format');
}
