/** Docker's config.json and the helpers that it names; the helper of these tests is a script. */
import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import {
  HUB_SERVER,
  eraseCredential,
  findCredential,
  hostnameOf,
  storeCredential,
  userCredentials,
} from '../../../../src/images/registry/credentials.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const ANN = { kind: 'password', username: 'ann', password: 'se:cret' } as const;
const AUTH = Buffer.from('ann:se:cret').toString('base64');

/** A DOCKER_CONFIG with this content. */
function docker(config?: unknown): { env: NodeJS.ProcessEnv; file: string; read: () => unknown } {
  const dir = temporaryDirectory();
  const file = join(dir, 'config.json');
  if (config !== undefined) writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return {
    env: { DOCKER_CONFIG: dir },
    file,
    read: () => JSON.parse(readFileSync(file, 'utf8')) as unknown,
  };
}

/** A helper that keeps what it is given in a file beside it, named as helpers are. */
function helper(
  config: object,
  script: string,
): { env: NodeJS.ProcessEnv; dir: string; read: () => unknown } {
  const { env, read } = docker(config);
  const dir = temporaryDirectory();
  const file = join(dir, 'docker-credential-test');
  writeFileSync(file, `#!/bin/sh\ncd ${dir}\n${script}\n`);
  chmodSync(file, 0o755);
  return { env: { ...env, PATH: `${dir}:/usr/bin:/bin` }, dir, read };
}

test.for([
  ['r.example', { 'r.example': { auth: AUTH } }],
  ['r.example:5000', { 'https://r.example:5000/v2/': { auth: AUTH } }],
  ['r.example', { 'http://r.example': { username: 'ann', password: 'se:cret' } }],
  [HUB_SERVER, { [HUB_SERVER]: { auth: AUTH } }],
  [HUB_SERVER, { 'index.docker.io': { auth: AUTH } }],
] as const)('the credentials of %s are found in %o', async ([server, auths]) => {
  expect(await findCredential(server, docker({ auths }).env)).toEqual(ANN);
});

test('an exact key goes before one of the same host', async () => {
  const bob = { auth: Buffer.from('bob:x').toString('base64') };
  const { env } = docker({ auths: { 'https://r.example': bob, 'r.example': { auth: AUTH } } });
  expect(await findCredential('r.example', env)).toEqual(ANN);
});

test('nothing is found where nothing is kept', async () => {
  expect(await findCredential('r.example', docker().env)).toBeNull();
  expect(await findCredential('r.example', docker('').env)).toBeNull();
  expect(
    await findCredential('r.example', docker({ auths: { 'x.example': { auth: AUTH } } }).env),
  ).toBeNull();
  expect(await findCredential('r.example', docker({ auths: { 'r.example': {} } }).env)).toBeNull();
});

test('identity and access tokens are told apart from passwords', async () => {
  const auths = {
    'a.example': { auth: Buffer.from('ann:').toString('base64'), identitytoken: 'i' },
    'b.example': { registrytoken: 't' },
  };
  const credentials = userCredentials(docker({ auths }).env);
  expect(await credentials.get('a.example')).toEqual({ kind: 'identity', username: 'ann', token: 'i' });
  expect(await credentials.get('b.example')).toEqual({ kind: 'access', token: 't' });
});

test('a file that is no JSON is named and its content is not shown', async () => {
  const { env, file } = docker('{"auths": secret');
  await expect(findCredential('r.example', env)).rejects.toMatchObject({
    code: 'invalid_config',
    message: `${file} cannot be used: it is no JSON`,
  });
  await expect(storeCredential('r.example', ANN, env)).rejects.toThrow('it is no JSON');
  expect(readFileSync(file, 'utf8')).toBe('{"auths": secret');
});

test('storing keeps everything else, for the owner only', async () => {
  const { env, file, read } = docker({ psFormat: 'x', auths: { 'x.example': { auth: 'y' } } });
  expect(await storeCredential('r.example', ANN, env)).toBe(file);
  expect(read()).toEqual({
    psFormat: 'x',
    auths: { 'x.example': { auth: 'y' }, 'r.example': { auth: AUTH } },
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await eraseCredential('r.example', env);
  expect(read()).toEqual({ psFormat: 'x', auths: { 'x.example': { auth: 'y' } } });
});

test('a directory that is not there is made, and a symbolic link stays one', async () => {
  const dir = temporaryDirectory();
  const env = { DOCKER_CONFIG: join(dir, 'new') };
  await storeCredential('r.example', ANN, env);
  expect(await findCredential('r.example', env)).toEqual(ANN);
  const linked = join(dir, 'linked');
  mkdirSync(linked);
  symlinkSync(join(dir, 'new', 'config.json'), join(linked, 'config.json'));
  await eraseCredential('r.example', { DOCKER_CONFIG: linked });
  expect(lstatSync(join(linked, 'config.json')).isSymbolicLink()).toBe(true);
  expect(await findCredential('r.example', env)).toBeNull();
});

test('an identity token is kept beside the name', async () => {
  const { env, read } = docker();
  expect(
    await storeCredential(HUB_SERVER, { kind: 'identity', username: 'ann', token: 'i' }, env),
  ).toBeUndefined();
  const auth = Buffer.from('ann:').toString('base64');
  expect(read()).toEqual({ auths: { [HUB_SERVER]: { auth, identitytoken: 'i' } } });
});

test('a store keeps the secret, which appears in no file of ours and in no argument', async () => {
  const script = 'echo "$@" >> args; case $1 in store) cat > kept;; get) cat > asked; cat kept;; esac';
  const { env, dir, read } = helper({ credsStore: 'test' }, script);
  expect(await storeCredential('r.example', ANN, env)).toBeUndefined();
  expect(read()).toEqual({ credsStore: 'test', auths: { 'r.example': {} } });
  expect(readFileSync(join(dir, 'kept'), 'utf8')).toBe(
    '{"ServerURL":"r.example","Username":"ann","Secret":"se:cret"}',
  );
  expect(await findCredential('r.example', env)).toEqual(ANN);
  expect(readFileSync(join(dir, 'asked'), 'utf8')).toBe('r.example');
  await eraseCredential('r.example', env);
  expect(readFileSync(join(dir, 'args'), 'utf8')).toBe('store\nget\nerase\n');
  expect(read()).toEqual({ credsStore: 'test', auths: {} });
});

test('the helper of a registry goes before the store, and may have a token', async () => {
  const config = { credsStore: 'absent', credHelpers: { 'r.example': 'test' } };
  const { env } = helper(config, `echo '{"Username":"<token>","Secret":"i"}'`);
  expect(await findCredential('r.example', env)).toEqual({ kind: 'identity', username: '', token: 'i' });
  await expect(findCredential('x.example', env)).rejects.toMatchObject({
    code: 'host_setup',
    message: 'error getting credentials - docker-credential-absent get: there is no such program in PATH',
  });
});

test('a helper that has nothing, fails or talks nonsense', async () => {
  const config = { credsStore: 'test' };
  const none = helper(config, 'echo credentials not found in native keychain; exit 1');
  expect(await findCredential('r.example', none.env)).toBeNull();
  const locked = helper(config, 'printf "key ring\\033 locked"; exit 2');
  await expect(findCredential('r.example', locked.env)).rejects.toThrow(
    'docker-credential-test get: key ring locked',
  );
  const nonsense = helper(config, 'echo secret');
  await expect(findCredential('r.example', nonsense.env)).rejects.toThrow(
    'docker-credential-test get: unusable answer',
  );
  const flood = helper(config, 'yes 2>/dev/null');
  await expect(findCredential('r.example', flood.env)).rejects.toThrow(
    'docker-credential-test get: it says too much',
  );
  const odd = docker({ credsStore: '../../bin/sh' });
  await expect(findCredential('r.example', odd.env)).rejects.toThrow(
    'the credential helper of r.example is no name',
  );
});

test('a server is its host, however it is written', () => {
  expect(['https://r.example:5000/v1/', 'http://r.example:5000', 'r.example:5000/x'].map(hostnameOf)).toEqual(
    Array.from({ length: 3 }, () => 'r.example:5000'),
  );
});
