/**
 * Bundles that start with the code V8 made of them earlier. Node's own compile cache holds what is compiled when a file loads;
 * the functions that are compiled when they are first called, most of a command, are 5 ms of each start.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';

const OTHERS_WRITE = 0o022;
/** Another installation may share the directory; an old version of this one leaves a file behind. */
const STALE_MS = 7 * 24 * 3600 * 1000;

export interface Bundle {
  /** The file, which holds one CommonJS module. */
  file: string;
  /** Of its content: V8 compares only lengths. */
  hash: string;
  /** Runs of one purpose share what they compiled. */
  purpose: string;
  /** What the module gets as `require`. */
  require: NodeJS.Require;
}

type Wrapper = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  filename: string,
  dirname: string,
) => void;

/**
 * Runs the bundle and returns what it exports. When this process ends, the code it compiled is kept in the directory of Node's
 * compile cache, if there is one; what cannot be read or written there is done without.
 */
export function loadCompiled({ file, hash, purpose, require }: Bundle): object {
  const directory = process.env['NODE_COMPILE_CACHE'];
  // Maps of sources are for modules that Node itself has loaded.
  if (directory === undefined || directory === '' || process.env['A3S_DEBUG'] === '1') {
    const exports: object = require(file);
    return exports;
  }
  const family = `${basename(file, '.cjs')}-${purpose}-${process.version}-${process.arch}-${process.getuid?.()}-`;
  const cache = join(directory, `${family}${hash}`);
  const cachedData = read(cache);
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`;
  const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
  if (cachedData === undefined || script.cachedDataRejected === true) {
    process.on('exit', () => keep(cache, family, script));
  }
  const module = { exports: {} };
  const run: Wrapper = script.runInThisContext();
  run(module.exports, require, module, file, dirname(file));
  return module.exports;
}

/** What it holds is executed: a file that somebody else has written, or could have, is none. */
function read(file: string): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { uid, mode } = fstatSync(descriptor);
    return uid === process.getuid?.() && (mode & OTHERS_WRITE) === 0 ? readFileSync(descriptor) : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** Puts the file there whole, because V8 does not check what it reads, and removes those that have not been made anew for long. */
function keep(file: string, family: string, script: Script): void {
  const directory = dirname(file);
  const fresh = `${file}.${process.pid}`;
  try {
    write(fresh, script.createCachedData());
    renameSync(fresh, file);
    for (const name of readdirSync(directory)) {
      if (!name.startsWith(family) || name === basename(file)) continue;
      const other = join(directory, name);
      if (Date.now() - statSync(other).mtimeMs > STALE_MS) rmSync(other, { force: true });
    }
  } catch {
    // The next run compiles again.
  }
}

function write(file: string, data: Buffer): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeFileSync(descriptor, data);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
