import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installPackages, policyOf, updateLists } from './apt.mjs';
import { findTool, run, toolEnv } from './process.mjs';
import { NotReady } from './progress.mjs';

/** What the guest crate needs; clippy's incompatible_msrv finds what a newer one would be needed for. */
const oldest = [1, 87];

/** Debian 12's own Rust is too old; beside it lies the one its browsers are built with. */
const debianFlavours = [
  { rustc: 'rustc', packages: ['rustc', 'cargo'], lint: ['rust-clippy', 'rustfmt'] },
  { rustc: 'rustc-web', packages: ['rustc-web', 'cargo-web'], lint: ['rust-web-clippy', 'rustfmt-web'] },
];

/**
 * Makes sure that a fit cargo is there: the one on PATH or in ~/.cargo, else Debian's.
 * @param {(work: string) => void} announce
 * @param {{ lint?: boolean }} [options] lint: clippy and rustfmt too
 * @returns {Promise<{ summary: string }>}
 * @throws {NotReady}
 */
export async function rust(announce, { lint = false } = {}) {
  useRustup();
  const needed = ['cargo', ...(lint ? ['cargo-clippy', 'cargo-fmt'] : [])];
  const version = await cargoVersion();
  if (isFit(version) && needed.every((name) => findTool(name) !== undefined))
    return { summary: `cargo ${version}` };

  const flavour = (await fitFlavour()) ?? ((await updateLists()) ? await fitFlavour() : undefined);
  const packages = [...(flavour?.packages ?? []), ...(lint ? (flavour?.lint ?? []) : [])];
  // Debian's packages would not help a rustup that comes first on PATH.
  if (flavour !== undefined && findTool('rustup') === undefined) {
    announce(`installing ${packages.join(' ')}`);
    if (await installPackages(packages)) return { summary: `installed ${packages.join(' ')}` };
  }
  const advice =
    flavour === undefined ? 'rustup, https://rustup.rs' : `packages ${packages.join(' ')}, or rustup`;
  const found = version === undefined ? 'none found' : `found ${version}`;
  throw new NotReady([`${needed.join(', ')} of Rust ${oldest.join('.')} or newer (${found}): ${advice}`]);
}

/** An ordinary installation of rustup changes login shells only; not every npm was started from one. */
function useRustup() {
  if (findTool('cargo') !== undefined) return;
  const bin = join(process.env['CARGO_HOME'] ?? join(homedir(), '.cargo'), 'bin');
  // Our children of both kinds: those of `run`, and scripts that are started with this process's own environment.
  process.env['PATH'] = `${process.env['PATH'] ?? ''}${delimiter}${bin}`;
  toolEnv.PATH = `${toolEnv.PATH}${delimiter}${bin}`;
}

/** @returns {Promise<string | undefined>} */
async function cargoVersion() {
  if (findTool('cargo') === undefined) return undefined;
  const output = await run('cargo', ['--version']).catch(() => Buffer.from(''));
  return /cargo (\d+\.\d+\.\d+)/.exec(output.toString())?.[1];
}

async function fitFlavour() {
  for (const flavour of debianFlavours) {
    if (isFit(await policyOf(flavour.rustc))) return flavour;
  }
  return undefined;
}

/** @param {string | undefined} version */
function isFit(version) {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
