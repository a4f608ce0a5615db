/** A real build: a Debian with a compiler from packages in the context, a program made in it, and a slim image that serves. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { debianImage } from '../../fixture/debian-root.ts';
import { boxesOf } from '../fixture/boxes.ts';
import { a3s, a3sOk } from '../fixture/cli.ts';
import { freePort } from '../../fixture/ports.ts';
import { until } from '../fixture/until.ts';
import { makeContext } from './fixture/context.ts';

const MAKING_MS = 600_000;
const BUILDING_MS = 300_000;
const NAME = 'build-real';
const BASE = 'localhost/debian-base:1';
/** A small compiler with all that it needs. */
const PACKAGES = [
  'tcc',
  'libc6-dev',
  'libc-dev-bin',
  'linux-libc-dev',
  'libcrypt-dev',
  'libnsl-dev',
  'libtirpc-dev',
  'rpcsvc-proto',
];

const SERVER = String.raw`
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>
int main(void) {
  struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(8080) };
  int one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(server, (struct sockaddr *)&here, sizeof here) || listen(server, 8)) return perror("server"), 1;
  for (;;) {
    char request[1024], answer[128];
    int client = accept(server, 0, 0);
    read(client, request, sizeof request);
    int size = sprintf(answer, "HTTP/1.0 200 OK\r\n\r\nbuilt, served by uid %d", (int)getuid());
    write(client, answer, size);
    shutdown(client, SHUT_WR);
    close(client);
  }
}
`;

const DOCKERFILE = `FROM ${BASE} AS build
COPY packages/ /packages/
RUN --network=none dpkg -i --force-depends /packages/*.deb && rm -r /packages
WORKDIR /src
COPY server.c .
RUN tcc -o /server server.c

FROM a3s/base
COPY --from=build /lib64/ld-linux-x86-64.so.2 /lib64/
COPY --from=build /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/
COPY --from=build --chmod=0755 /server /usr/local/bin/server
EXPOSE 8080
USER app
CMD ["server"]
`;

let context: string;
const boxes = boxesOf('build-real');

beforeAll(async () => {
  const { layout } = await debianImage();
  const work = mkdtempSync(join(tmpdir(), 'a3s-debian-'));
  const archive = join(work, 'image.tar');
  execFileSync('skopeo', ['copy', '--quiet', `oci:${layout}:web`, `docker-archive:${archive}:${BASE}`]);
  await a3sOk(['load', '-q', '-i', archive]);
  rmSync(work, { recursive: true });
  context = makeContext({ 'server.c': SERVER, packages: { directory: true } }, DOCKERFILE);
  execFileSync('apt-get', ['download', '-q', ...PACKAGES], {
    cwd: join(context, 'packages'),
    stdio: 'ignore',
  });
  expect(readdirSync(join(context, 'packages'))).toHaveLength(PACKAGES.length);
}, MAKING_MS);
afterAll(async () => {
  await a3s(['rmi', '-f', NAME, BASE]);
  await a3sOk(['builder', 'prune', '-af']);
  rmSync(context, { recursive: true, force: true });
});

test(
  'packages are installed, a program is compiled, and the slim image serves it',
  async () => {
    const { status, err } = await a3s(['build', '--progress', 'plain', '-t', NAME, context], {
      deadlineMs: BUILDING_MS,
    });
    expect(status, err).toBe(0);
    expect(err).toMatch(/Setting up tcc/);
    const layers = await a3sOk(['image', 'inspect', '-f', '{{len .RootFS.Layers}}', NAME]);
    expect(layers).toBe('4');
    const port = await freePort();
    await boxes.detached('web', ['-p', `127.0.0.1:${port}:8080`, NAME]);
    let answer = '';
    await until('the server to answer', async () => {
      answer = await fetch(`http://127.0.0.1:${port}/`).then(
        (response) => response.text(),
        () => '',
      );
      return answer !== '';
    });
    expect(answer).toBe('built, served by uid 1000');
  },
  BUILDING_MS,
);
