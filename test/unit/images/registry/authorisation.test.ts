/** Who gets in, and who learns whose secrets: registries with passwords, with tokens, over TLS. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { verifyCredential } from '../../../../src/images/registry/login.ts';
import { startConnectProxy } from '../../../fixture/registry/connect-proxy.ts';
import { startRegistry, type TestRegistry } from '../../../fixture/registry/docker-registry.ts';
import { startFaultProxy } from '../../../fixture/registry/fault-proxy.ts';
import { startTokenRegistry, type TokenRegistry } from '../../../fixture/registry/token-registry.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { Kept, blobOf, client, password, putImage, upload } from './blobs.ts';

const ANN = password('ann', 'secret');
let secure: TestRegistry;
let token: TokenRegistry;

beforeAll(async () => {
  [secure, token] = await Promise.all([
    startRegistry({ tls: true, users: { ann: 'secret' } }),
    startTokenRegistry({ ann: 'secret' }),
  ]);
});
afterAll(() => Promise.all([secure.close(), token.close()]));

test('a name and a password open a registry over TLS', async () => {
  const registry = await client(secure.domain, { credential: ANN });
  const { digest } = await putImage(registry, 't/x', '1');
  expect((await registry.manifest('t/x', '1')).digest).toBe(digest);
});

test('without or with a wrong password access is denied, in the words of Docker', async () => {
  const denied = {
    code: 'unauthorized',
    message:
      `pull access denied for ${secure.domain}/t/x, repository does not exist or may require 'docker login': ` +
      'unauthorized: authentication required',
    hint: `log in with \`a3s-box login ${secure.domain}\``,
  };
  for (const options of [{}, { credential: password('ann', 'wrong') }]) {
    const registry = await client(secure.domain, options);
    await expect(registry.manifest('t/x', '1')).rejects.toMatchObject(denied);
  }
});

test('an authority nobody knows is refused; SSL_CERT_FILE and certs.d make it known', async () => {
  const domain = `0.0.0.0:${secure.port}`;
  await expect(client(domain, { credential: ANN })).rejects.toMatchObject({
    code: 'registry_unreachable',
    message: `Get "https://${domain}/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  });
  await client(domain, { credential: ANN, env: { SSL_CERT_FILE: secure.ca } });
  const certsDir = temporaryDirectory();
  mkdirSync(join(certsDir, domain));
  copyFileSync(secure.ca, join(certsDir, domain, 'ca.crt'));
  await client(domain, { credential: ANN, certsDir });
});

test('a registry elsewhere is not spoken to over plain HTTP unless it is named', async () => {
  const plain = await startRegistry();
  onTestFinished(() => plain.close());
  const domain = `0.0.0.0:${plain.port}`;
  await expect(client(domain)).rejects.toThrow(
    `Get "https://${domain}/v2/": http: server gave HTTP response to HTTPS client`,
  );
  await client(domain, { insecure: [domain] });
  await client(domain, { env: { A3S_INSECURE_REGISTRIES: 'other, 0.0.0.0/32' } });
});

test('a registry elsewhere is reached through the proxy, this machine is not', async () => {
  const proxy = await startConnectProxy();
  onTestFinished(() => proxy.close());
  const env = { HTTPS_PROXY: proxy.url, SSL_CERT_FILE: secure.ca };
  const far = await client(`0.0.0.0:${secure.port}`, { credential: ANN, env });
  await putImage(far, 't/proxied', '1');
  expect(new Set(proxy.tunnels)).toEqual(new Set([`0.0.0.0:${secure.port}`]));
  proxy.tunnels.length = 0;
  await client(secure.domain, { credential: ANN, env });
  expect(proxy.tunnels).toEqual([]);
});

test('one token serves all requests of a repository', async () => {
  const registry = await client(token.domain, { credential: ANN });
  await putImage(registry, 't/x', '1');
  token.asked.length = 0;
  const reader = await client(token.domain, { credential: ANN });
  await Promise.all([1, 2, 3, 4].map(() => reader.manifest('t/x', '1')));
  expect(token.asked).toEqual(['GET ann repository:t/x:pull']);
});

test('a token that has ended is replaced, once', async () => {
  const writer = await client(token.domain, { credential: ANN });
  await putImage(writer, 't/ended', '1');
  token.asked.length = 0;
  token.giveExpired(1);
  const reader = await client(token.domain, { credential: ANN });
  await reader.manifest('t/ended', '1');
  expect(token.asked).toHaveLength(2);
  token.asked.length = 0;
  token.giveExpired(10);
  onTestFinished(() => token.giveExpired(0));
  const other = await client(token.domain, { credential: ANN });
  await expect(other.manifest('t/ended', '1')).rejects.toMatchObject({ code: 'unauthorized' });
  expect(token.asked).toHaveLength(2);
});

test('anybody may pull; pushing needs a name', async () => {
  const writer = await client(token.domain, { credential: ANN });
  const blob = blobOf(1000, 'open');
  await upload(writer, 't/open', blob);
  const anybody = await client(token.domain);
  const sink = new Kept();
  await anybody.downloadBlob('t/open', blob, sink);
  expect(sink.bytes.equals(blob.bytes)).toBe(true);
  await expect(upload(anybody, 't/open', blobOf(10, 'other'))).rejects.toMatchObject({
    code: 'unauthorized',
    message: `push access denied for ${token.domain}/t/open: unauthorized: authentication required`,
  });
});

test('an identity token buys access tokens by POST', async () => {
  const credential = { kind: 'identity', username: '', token: token.identityToken('ann') } as const;
  const registry = await client(token.domain, { credential });
  token.asked.length = 0;
  await putImage(registry, 't/identity', '1');
  expect(token.asked).toEqual(['POST ann repository:t/identity:pull,push']);
});

test('a blob is mounted with a token for both repositories', async () => {
  const registry = await client(token.domain, { credential: ANN });
  const blob = blobOf(500, 'both');
  await upload(registry, 't/from', blob);
  token.asked.length = 0;
  expect(await registry.mountBlob('t/to', blob.digest, 't/from')).toBe(true);
  expect(token.asked).toEqual(['GET ann repository:t/to:pull,push repository:t/from:pull']);
});

test('a password that the token server refuses is told in its words', async () => {
  const registry = await client(token.domain, { credential: password('ann', 'wrong') });
  await expect(registry.manifest('t/x', '1')).rejects.toThrow(
    `pull access denied for ${token.domain}/t/x, repository does not exist or may require 'docker login': ` +
      'unauthorized: incorrect username or password',
  );
});

test('a realm on a host without TLS is refused before anything is sent there', async () => {
  const proxy = await startFaultProxy(token);
  onTestFinished(() => proxy.close());
  const challenge = { 'www-authenticate': 'Bearer realm="http://198.51.100.1/token",service="x"' };
  proxy.next('GET', '/v2/', { kind: 'status', status: 401, headers: challenge });
  await expect(client(proxy.domain, { credential: ANN })).rejects.toThrow(
    `the realm of registry ${proxy.domain} leads to 198.51.100.1 over plain HTTP, which is refused`,
  );
});

test('login keeps a password for Basic, and the identity token that a token server gives', async () => {
  expect(await verifyCredential(secure.domain, ANN, { env: {} })).toEqual(ANN);
  expect(await verifyCredential(token.domain, ANN, { env: {} })).toEqual({
    kind: 'identity',
    username: 'ann',
    token: token.identityToken('ann'),
  });
});

test('login with a wrong password fails in the words of Docker', async () => {
  const wrong = password('ann', 'wrong');
  await expect(verifyCredential(secure.domain, wrong, { env: {} })).rejects.toMatchObject({
    code: 'unauthorized',
    message: `login attempt to https://${secure.domain}/v2/ failed with status: 401 Unauthorized`,
  });
  await expect(verifyCredential(token.domain, wrong, { env: {} })).rejects.toMatchObject({
    code: 'unauthorized',
    message: `Get "http://${token.domain}/v2/": unauthorized: incorrect username or password`,
  });
});
