/**
 * Programs that keep credentials: `docker-credential-NAME get|store|erase`, one document on stdin and one on stdout
 * (github.com/docker/docker-credential-helpers). Nothing secret is ever an argument.
 */
import { spawn } from 'node:child_process';

import { A3sError, hasErrno } from '../../errors.ts';
import { parseObject } from './body.ts';
import type { Credential } from './credential.ts';
import { printable } from './printable.ts';

/** Some ask the user to unlock a key ring. */
const DEADLINE_MS = 60_000;
const MAX_OUTPUT = 1024 * 1024;
/** The name under which helpers keep identity tokens. */
const IDENTITY = '<token>';
const NOT_FOUND = 'credentials not found in native keychain';

/**
 * What the helper has for the server, or null.
 * @throws A3sError `host_setup` naming the helper
 */
export async function helperGet(
  helper: string,
  server: string,
  env: NodeJS.ProcessEnv,
): Promise<Credential | null> {
  const { status, output } = await call(helper, 'get', server, env);
  if (status !== 0) {
    if (output.trim() === NOT_FOUND) return null;
    throw failed(helper, 'get', output);
  }
  const { Username: username, Secret: secret } = parseObject(output);
  // What it printed may hold the secret: it is not shown.
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw failed(helper, 'get', 'unusable answer');
  if (username === IDENTITY) return { kind: 'identity', username: '', token: secret };
  return { kind: 'password', username, password: secret };
}

/** @throws A3sError `host_setup` naming the helper */
export async function helperStore(
  helper: string,
  server: string,
  credential: Credential,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const [Username, Secret] =
    credential.kind === 'password'
      ? [credential.username, credential.password]
      : [IDENTITY, credential.token];
  const document = JSON.stringify({ ServerURL: server, Username, Secret });
  const { status, output } = await call(helper, 'store', document, env);
  if (status !== 0) throw failed(helper, 'store', output);
}

/** Nothing there to erase is a success. @throws A3sError `host_setup` naming the helper */
export async function helperErase(helper: string, server: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { status, output } = await call(helper, 'erase', server, env);
  if (status !== 0 && output.trim() !== NOT_FOUND) throw failed(helper, 'erase', output);
}

function call(
  helper: string,
  action: string,
  input: string,
  env: NodeJS.ProcessEnv,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    // Its stderr is the terminal's: it may have something to say to the user.
    const child = spawn(`docker-credential-${helper}`, [action], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    const end = (why: string): void => {
      child.kill('SIGKILL');
      // A process of its own that lives on cannot write any more, nor keep us waiting.
      child.stdout.destroy();
      reject(failed(helper, action, why));
    };
    const timer = setTimeout(() => end(`no answer within ${DEADLINE_MS / 1000} s`), DEADLINE_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > MAX_OUTPUT) end('it says too much');
    });
    child.on('error', (cause) => {
      clearTimeout(timer);
      const why = hasErrno(cause, 'ENOENT') ? 'there is no such program in PATH' : cause.message;
      reject(failed(helper, action, why));
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      if (signal === null) resolve({ status: status ?? 1, output });
      else reject(failed(helper, action, `it was ended by ${signal}`));
    });
    // One that does not read is known by its status.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function failed(helper: string, action: string, why: string): A3sError {
  return new A3sError(
    'host_setup',
    `error getting credentials - docker-credential-${helper} ${action}: ${printable(why)}`,
    { hint: 'it is named by credsStore or credHelpers in config.json' },
  );
}
