/** A whole Debian of several layers, from a registry: pulled, unpacked exactly, and run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { debianImage, WEB_PAGE } from '../fixture/debian-root.ts';
import { startRegistry, type TestRegistry } from '../fixture/registry/docker-registry.ts';
import { layoutOf } from '../../src/state/layout.ts';
import { readSquashfs } from '../unit/images/layers/fixture/store.ts';
import { comparable, unpackedByUmoci } from '../unit/images/layers/fixture/umoci.ts';
import { boxesOf } from './fixture/boxes.ts';
import { a3sOk } from './fixture/cli.ts';
import { home } from './fixture/home.ts';
import { freePort } from '../fixture/ports.ts';
import { recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

/** Making the image, which happens once a checkout, downloads a hundred packages. */
const MAKING_MS = 600_000;

let registry: TestRegistry;
let layout: string;
let packages: number;
let web: string;

beforeAll(async () => {
  ({ layout, packages } = await debianImage());
  registry = await startRegistry();
  web = `${registry.domain}/debian:web`;
  execFileSync('skopeo', [
    'copy',
    '--quiet',
    '--dest-tls-verify=false',
    `oci:${layout}:web`,
    `docker://${web}`,
  ]);
  await a3sOk(['pull', '-q', web]);
}, MAKING_MS);
afterAll(async () => {
  await a3sOk(['rmi', '-f', web]);
  await registry.close();
});

const boxes = boxesOf('debian');

/** Output of a command in a new box. */
function inBox(...words: string[]): Promise<string> {
  return a3sOk(['run', '--rm', web, ...words]);
}

test.skipIf(process.getuid?.() !== 0)('its tree is what umoci makes of it, entry by entry', async () => {
  const id = await a3sOk(['image', 'inspect', '--format', '{{.Id}}', web]);
  const squashfs = join(layoutOf(home()).rootfsDir, `${id.slice('sha256:'.length)}.squashfs`);
  const scratch = mkdtempSync('/tmp/a3s-debian-');
  try {
    const [ours, theirs] = [readSquashfs(squashfs), unpackedByUmoci(`${layout}:web`, join(scratch, 'tree'))];
    expect(ours.size).toBeGreaterThan(5000);
    expect(comparable(ours)).toEqual(comparable(theirs));
  } finally {
    rmSync(scratch, { recursive: true });
  }
});

describe('a box of a whole Debian', () => {
  test('runs perl', async () => {
    expect(await inBox('perl', '-MPOSIX', '-e', 'print join ",", map { floor($_ / 2) } 1 .. 5')).toBe(
      '0,1,1,2,2',
    );
  });

  test('has every package, whole', async () => {
    const listed = await inBox('dpkg', '-l');
    expect(listed.split('\n').filter((line) => line.startsWith('ii '))).toHaveLength(packages);
    // Prints which files were altered; a layer has whited the documentation out.
    const altered = await inBox(
      'sh',
      '-c',
      'dpkg --verify perl-base nginx-light | grep -v share/doc || true',
    );
    expect(altered).toBe('');
  });

  test('has owners, modes, set-user-ID bits and capabilities', async () => {
    const files = '/usr/bin/passwd /usr/bin/wall /etc/shadow /tmp /var/mail /bin /dev/null';
    const format = '%n %F %a %U:%G';
    expect(await inBox('sh', '-c', `stat -c '${format}' ${files}; getcap /usr/bin/perl`)).toBe(
      [
        '/usr/bin/passwd regular file 4755 root:root',
        '/usr/bin/wall regular file 755 root:root',
        '/etc/shadow regular file 640 root:shadow',
        '/tmp directory 1777 root:root',
        '/var/mail directory 2775 root:mail',
        '/bin symbolic link 777 root:root',
        '/dev/null character special file 666 root:root',
        '/usr/bin/perl cap_net_bind_service=ep',
      ].join('\n'),
    );
  });

  test('has what upper layers leave of lower ones', async () => {
    expect(
      await inBox('sh', '-c', 'ls -A /var/www/html; cat index.html; ls -d /usr/share/doc || echo gone'),
    ).toBe(`index.html\n${WEB_PAGE}gone`);
  });

  test('serves the web as its CMD says, published', async () => {
    const port = await freePort();
    const name = await boxes.detached('web', ['--rm', '-p', `127.0.0.1:${port}:80`, web]);
    const answer = await until('an answer', () => page(port), 30_000);
    expect(answer).toEqual({ status: 200, server: expect.stringMatching(/^nginx\//), body: WEB_PAGE });
    const top = await a3sOk([
      'exec',
      name,
      'sh',
      '-c',
      'stat -c %U /proc/[0-9]*/exe 2>/dev/null | sort | uniq',
    ]);
    expect(top).toBe('root\nwww-data');
    expect(
      recordOf(name)
        .volumes.map(({ target }) => target)
        .toSorted(),
    ).toEqual(['/srv/data', '/var/lib/nginx']);
  });

  test('runs as a user by its own passwd', async () => {
    expect(await a3sOk(['run', '--rm', '--user', 'www-data', web, 'id'])).toBe(
      'uid=33(www-data) gid=33(www-data) groups=33(www-data)',
    );
  });
});

async function page(port: number): Promise<{ status: number; server: string | null; body: string } | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5000) });
    return { status: response.status, server: response.headers.get('server'), body: await response.text() };
  } catch {
    return null;
  }
}
