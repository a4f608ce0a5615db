import { readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../setup/process.mjs';

/** The guest agent as built, and the program that measures the host's time stamp counter: static executables. */
export interface Agent {
  binary: Buffer;
  tscKhz: Buffer;
  version: string;
  /** Licence texts of the crates linked into it. */
  licences: string;
}

/** Builds the agent in a target directory of its own, so that other builds of the crate do not undo it. */
export async function buildAgent(root: string): Promise<Agent> {
  const crate = join(root, 'guest');
  const cargoHome = process.env['CARGO_HOME'] ?? join(homedir(), '.cargo');
  // Panic messages name source files: without the builder's home they are the same everywhere.
  const remap = [`--remap-path-prefix=${cargoHome}=/cargo`, `--remap-path-prefix=${root}=/a3s-box`];
  const flags = `build.rustflags=${JSON.stringify(remap)}`;
  const target = join(crate, 'target', 'bundle');
  const profile = ['--release', '--locked', '--target-dir', target, '--config', flags];
  const messages = await run('cargo', ['build', ...profile, '--message-format=json-render-diagnostics'], {
    cwd: crate,
  });
  const binary = await builtExecutable(messages.toString(), 'a3s-agent');
  return { binary, tscKhz: await builtExecutable(messages.toString(), 'tsc-khz'), ...(await describe(crate)) };
}

async function builtExecutable(messages: string, name: string): Promise<Buffer> {
  const path = new RegExp(`"executable":"([^"]+/${name})"`).exec(messages)?.[1];
  if (path === undefined) throw new Error(`cargo built no executable ${name}`);
  const binary = await readFile(path);
  if (!isStatic(binary)) throw new Error(`${path} is not statically linked`);
  return binary;
}

/** Whether an ELF executable asks for no interpreter (PT_INTERP), which the initial root has none of. */
function isStatic(elf: Buffer): boolean {
  const start = Number(elf.readBigUInt64LE(32));
  const [size, count] = [elf.readUInt16LE(54), elf.readUInt16LE(56)];
  return !Array.from({ length: count }, (_, index) => elf.readUInt32LE(start + index * size)).includes(3);
}

interface CargoPackage {
  name: string;
  version: string;
  license: string | null;
  manifest_path: string;
}

async function describe(crate: string): Promise<Pick<Agent, 'version' | 'licences'>> {
  const platform = ['--filter-platform', 'x86_64-unknown-linux-gnu'];
  const output = await run('cargo', ['metadata', '--format-version=1', '--locked', ...platform], { cwd: crate });
  const metadata: { packages: CargoPackage[] } = JSON.parse(output.toString());
  const packages = metadata.packages.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const sections = await Promise.all(packages.filter(({ name }) => name !== 'a3s-agent').map(licenceOf));
  const version = packages.find(({ name }) => name === 'a3s-agent')?.version ?? 'unknown';
  return { version, licences: sections.join('\n') };
}

async function licenceOf({ name, version, license, manifest_path }: CargoPackage): Promise<string> {
  const directory = dirname(manifest_path);
  const files = (await readdir(directory)).filter((file) => /^(licen[cs]e|copying)/i.test(file)).toSorted();
  const file = files.find((candidate) => /mit/i.test(candidate)) ?? files[0];
  const text = file === undefined ? '' : await readFile(join(directory, file), 'utf8');
  return `${name} ${version} (${license ?? 'no licence named'})\n\n${text.trim()}\n`;
}
