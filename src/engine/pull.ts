/** `pull`: an image from its registry into the store. */
import { A3sError } from '../errors.ts';
import { hostPlatform, parsePlatform } from '../images/platform.ts';
import { familiarName, familiarString, parseReference, type Reference } from '../images/reference.ts';
import { userCredentials } from '../images/registry/credentials.ts';
import { openRegistry, type Registry } from '../images/registry/registry.ts';
import { pullImage } from '../images/transfer/pull.ts';
import type { TransferProgress } from '../images/transfer/progress.ts';
import { tellImage } from './image-events.ts';
import type { Engine } from './types.ts';

export interface PullOptions {
  /** `os/architecture[/variant]`; the host's when left out. */
  platform?: string;
  /** Every tag of the repository. */
  allTags?: boolean;
  /** The registry may be spoken to without TLS, or with a certificate that cannot be verified. */
  insecure?: boolean;
  progress: TransferProgress;
  /** Gives the pull up. */
  signal?: AbortSignal;
}

/**
 * Pulls what `text` names. Tells in Docker's words where from, the layers, the digest and whether anything is new.
 * @returns the whole reference: `docker.io/library/alpine:latest`.
 * @throws A3sError `usage` for a bad reference or platform, and whatever the registry and the store throw.
 */
export async function pull(engine: Engine, text: string, options: PullOptions): Promise<string> {
  const { tag: given, ...named } = parseReference(text);
  // A digest says which image it is; a tag beside it says nothing.
  const reference = { ...named, tag: named.digest === undefined ? given : undefined };
  const hasTag = text.includes('@') || /:[^/]*$/.test(text);
  if (options.allTags === true && hasTag) {
    throw new A3sError('usage', "tag can't be used with --all-tags/-a");
  }
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform);
  if (options.allTags !== true && !hasTag) options.progress.line(`Using default tag: ${reference.tag}`);
  const registry = await connect(reference.domain, options);
  try {
    const one = (wanted: Reference): Promise<boolean> =>
      pullOne(engine, registry, wanted, { ...options, parsed: platform });
    if (options.allTags !== true) {
      const changed = await one(reference);
      options.progress.line(statusLine(changed, familiarString(reference)));
      return canonicalString({ ...reference, tag: given });
    }
    let changed = false;
    for (const tag of await registry.tags(reference.path)) {
      changed = (await one({ ...reference, tag })) || changed;
    }
    options.progress.line(statusLine(changed, familiarName(reference)));
    return `${reference.domain}/${reference.path}`;
  } finally {
    await registry.close();
  }
}

/** @throws A3sError `registry_unreachable`. */
export function connect(
  domain: string,
  { insecure, progress, signal }: Pick<PullOptions, 'insecure' | 'progress' | 'signal'>,
): Promise<Registry> {
  return openRegistry(domain, {
    credentials: userCredentials(),
    onRetry: (line) => progress.line(line),
    ...(insecure === true ? { insecure: [domain] } : {}),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function pullOne(
  engine: Engine,
  registry: Registry,
  reference: Reference,
  options: PullOptions & { parsed: ReturnType<typeof hostPlatform> },
): Promise<boolean> {
  const { progress } = options;
  const { digest, changed } = await pullImage(engine.layout, registry, {
    reference,
    platform: options.parsed,
    platformWanted: options.platform !== undefined,
    progress,
    signal: options.signal ?? new AbortController().signal,
    bundleDir: engine.bundleDir,
  });
  progress.line(`Digest: ${digest}`);
  tellImage(engine.layout, 'pull', familiarString(reference), familiarName(reference));
  return changed;
}

/** With the whole name of the registry and the repository. */
function canonicalString({ domain, path, tag, digest }: Reference): string {
  const tagged = tag === undefined ? '' : `:${tag}`;
  return `${domain}/${path}${tagged}${digest === undefined ? '' : `@${digest}`}`;
}

function statusLine(changed: boolean, name: string): string {
  return changed ? `Status: Downloaded newer image for ${name}` : `Status: Image is up to date for ${name}`;
}
