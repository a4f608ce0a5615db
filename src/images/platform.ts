/** Platforms of images, as the OCI image index and Docker's `--platform` name them: `linux/arm64/v8`. */
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';

export interface Platform {
  os: string;
  /** Go's name of the processor. */
  architecture: string;
  /** Empty when it does not matter. */
  variant: string;
}

const PART = /^[A-Za-z0-9_.-]+$/;
/** Other names of processors, and the variant they imply (containerd's platforms package). */
const PROCESSORS: Readonly<Record<string, readonly [string, string]>> = {
  x86_64: ['amd64', ''],
  'x86-64': ['amd64', ''],
  amd64: ['amd64', ''],
  aarch64: ['arm64', ''],
  arm64: ['arm64', ''],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  i386: ['386', ''],
};
/** Variants that say nothing. */
const DEFAULT_VARIANTS: Readonly<Record<string, string>> = { amd64: 'v1', arm64: 'v8' };
/** Node's names of processors, where Go has others. */
const HOST_PROCESSORS: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** What a box of this host runs. */
export function hostPlatform(): Platform {
  return { os: 'linux', architecture: HOST_PROCESSORS[process.arch] ?? process.arch, variant: '' };
}

/**
 * Reads `os[/architecture[/variant]]`; a single word may also be a processor.
 * @param context what stands before the refusal: Docker's commands differ in it
 * @throws A3sError `usage`.
 */
export function parsePlatform(text: string, context = ''): Platform {
  const parts = text.toLowerCase().split('/');
  const [first = '', second, third = '', ...more] = parts;
  if (more.length > 0 || !parts.every((part) => PART.test(part))) throw invalid(text, context);
  const host = hostPlatform();
  if (second === undefined) {
    const known = Object.hasOwn(PROCESSORS, first) ? PROCESSORS[first] : undefined;
    if (known !== undefined) return normal(host.os, first, '');
    if (first !== 'linux') throw invalid(text, context);
    return host;
  }
  return normal(first, second, third);
}

/** With the names and variants that mean the same made equal. */
export function normal(os: string, architecture: string, variant: string): Platform {
  const [name, implied] = (Object.hasOwn(PROCESSORS, architecture)
    ? PROCESSORS[architecture]
    : undefined) ?? [architecture, ''];
  const wanted = variant === '' ? implied : variant;
  return { os, architecture: name, variant: wanted === DEFAULT_VARIANTS[name] ? '' : wanted };
}

/** `linux/arm/v7`. */
export function platformString({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === '' ? [] : [variant])].join('/');
}

/** True when an image for `offered` may stand in for `wanted`; what it does not name fits anything. */
export function fits(offered: Platform, wanted: Platform): boolean {
  return (
    offered.os === wanted.os &&
    (offered.architecture === '' || offered.architecture === wanted.architecture) &&
    (wanted.variant === '' || offered.variant === '' || offered.variant === wanted.variant)
  );
}

function invalid(text: string, context: string): A3sError {
  const fault = 'unknown operating system or architecture: invalid argument';
  return new A3sError('usage', `${context}${goQuote(text)}: ${fault}`, {
    hint: 'write os/architecture, for example linux/amd64',
  });
}
