/** `login`: proves a name and a password to a registry and keeps them. */
import { login as logIn, parseServer, savedCredential } from '../engine/registry/login.ts';
import type { Credential, Server } from '../engine/registry/login.ts';
import { A3sError } from '../errors.ts';
import { defineCommand, type CommandContext } from './command.ts';
import { ask } from './prompt.ts';

interface Given {
  username: string;
  password: string;
}

export const login = defineCommand({
  summary: 'Authenticate to a registry',
  usage: '[OPTIONS] [SERVER]',
  args: { min: 0, max: 1 },
  flags: {
    password: { kind: 'string', short: 'p', help: 'Password or Personal Access Token (PAT)' },
    'password-stdin': { kind: 'bool', help: 'Take the Password or Personal Access Token (PAT) from stdin' },
    username: { kind: 'string', short: 'u', help: 'Username' },
  },
  examples: [
    ['registry.example.org', 'Asks for name and password'],
    ['-u ci --password-stdin registry.example.org', 'With the password on stdin'],
  ],
  async run(context, { flags, given: named, args }) {
    checkGiven(named, flags);
    const given: Given = { username: flags.username?.trim() ?? '', password: flags.password ?? '' };
    if (given.password !== '') {
      context.warn('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    }
    if (flags['password-stdin']) given.password = (await readAll(context)).replace(/\r?\n$/, '');
    const server = parseServer(args[0]);
    const saved = await savedCredential(server, context.env);
    const asked = given.username !== '' || given.password !== '';
    if (!asked && saved?.kind === 'password' && (await tryAgain(context, server, saved))) return;
    const { username, password } = await complete(context, given, server, saved);
    await authenticate(context, server, { kind: 'password', username, password });
  },
});

/** @throws A3sError `usage` in the words of Docker's client. */
function checkGiven(
  named: ReadonlySet<string>,
  flags: { username: string | undefined; password: string | undefined },
): void {
  if (named.has('password-stdin')) {
    if (named.has('password')) {
      throw usage('conflicting options: cannot specify both --password and --password-stdin');
    }
    if (!named.has('username')) throw usage('the --password-stdin option requires --username to be set');
  }
  for (const name of ['username', 'password'] as const) {
    if (flags[name] === '') throw usage(`${name} is empty`);
  }
}

async function authenticate(context: CommandContext, server: Server, credential: Credential): Promise<void> {
  const readable = await logIn(server, credential, context.env);
  if (readable !== undefined) {
    context.warn(`
WARNING! Your credentials are stored unencrypted in '${readable}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/
`);
  }
  await context.print('Login Succeeded\n');
}

/** @returns false when what is kept is not good any more */
async function tryAgain(
  context: CommandContext,
  server: Server,
  saved: Credential & { kind: 'password' },
): Promise<boolean> {
  context.warn(`Authenticating with existing credentials... [Username: ${saved.username}]\n`);
  context.warn(
    "Info → To login with a different account, run 'a3s-box logout' followed by 'a3s-box login'\n\n",
  );
  try {
    await logIn(server, saved, context.env);
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    const refused = error.code === 'unauthorized';
    context.warn(
      refused ? 'Stored credentials invalid or expired' : `Login did not succeed, error: ${error.message}`,
    );
    return false;
  }
  await context.print('Login Succeeded\n');
  return true;
}

/** Asks at the terminal for what was not given. */
async function complete(
  context: CommandContext,
  given: Given,
  server: Server,
  saved: Credential | null,
): Promise<Given> {
  let { username, password } = given;
  if ((username === '' || password === '') && context.stdin.isTTY !== true) {
    throw usage('Error: Cannot perform an interactive login from a non TTY device');
  }
  if (username === '') {
    const last = saved?.kind === 'password' || saved?.kind === 'identity' ? saved.username : '';
    if (server.isHub) await context.print(HUB_ADVICE);
    username = (await ask(context, last === '' ? 'Username: ' : `Username (${last}): `)).trim() || last;
    if (username === '') throw usage('Error: Non-null Username Required');
  }
  if (password === '') password = await ask(context, 'Password: ', { hidden: true });
  if (password === '') throw usage('Error: Password Required');
  return { username, password };
}

const HUB_ADVICE =
  'Log in with your Docker ID or email address to push and pull images from Docker Hub. ' +
  "If you don't have a Docker ID, head over to https://hub.docker.com/ to create one.\n";

/** No password is longer. */
const MAX_STDIN = 1024 * 1024;

async function readAll({ stdin }: CommandContext): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_STDIN) throw usage('the password on stdin is too long');
  }
  return Buffer.concat(chunks).toString();
}

function usage(message: string): A3sError {
  return new A3sError('usage', message, { exitStatus: 1 });
}
