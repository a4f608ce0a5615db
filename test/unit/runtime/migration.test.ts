import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { saveState } from '../../../src/runtime/qemu/migration.ts';
import { Qmp } from '../../../src/runtime/qemu/qmp.ts';
import { temporaryDirectory } from '../../temporary.ts';

test('a socket that cannot be made is an error at once, not a wait without end', async () => {
  const dir = temporaryDirectory();
  const server = createServer().listen(join(dir, 'q'));
  await once(server, 'listening');
  const qmp = new Qmp(connect(join(dir, 'q')));
  const saved = saveState(qmp, join(dir, 'none', 'm'), join(dir, 'state'), 1000);
  await expect(saved).rejects.toMatchObject({ code: 'EACCES' });
  server.close();
});
