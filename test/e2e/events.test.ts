import { describe, expect, test } from 'vitest';

import { a3s, a3sOk, CliProcess, LAUNCHER } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { recordOf } from './fixture/records.ts';
import { DETACH, Terminal } from './fixture/terminal.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('events');

/** `ACTION SIGNAL EXIT-CODE` of each event of the box since it was made. */
async function told(name: string): Promise<string[]> {
  const format = '{{.Action}} {{index .Actor.Attributes "signal"}} {{index .Actor.Attributes "exitCode"}}';
  const words = ['events', '--since', '10m', '--until', '0s', '-f', `container=${name}`, '--format', format];
  return (await a3sOk(words))
    .split('\n')
    .map((line) => line.replaceAll('<no value>', '').replaceAll(/ +/g, ' ').trim());
}

describe('events', () => {
  test('tell the life of a box, however it was lived', async () => {
    const name = await boxes.detached('life', ['a3s/base', 'sleep', '600']);
    const { id } = recordOf(name);
    expect((await a3s(['exec', name, 'sh', '-c', 'exit 3'])).status).toBe(3);
    await a3sOk(['stop', '-t', '0', name]);
    await a3sOk(['start', name]);
    await a3sOk(['restart', '-t', '0', name]);
    await a3sOk(['update', '--restart', 'always', name]);
    await a3sOk(['kill', name]);
    await a3sOk(['restart', name]);
    const renamed = boxes.name('renamed');
    await a3sOk(['rename', name, renamed]);
    await a3sOk(['rm', '-f', renamed]);
    const ended = ['kill 15', 'kill 9', 'die 137', 'stop', 'start'];
    // Its names differ from event to event.
    expect(await told(id)).toEqual([
      'create',
      'start',
      'exec_create: sh -c exit 3',
      'exec_start: sh -c exit 3',
      'exec_die 3',
      ...ended,
      ...ended,
      'restart',
      'update',
      'kill 9',
      'die 137',
      'start',
      'restart',
      'rename',
      'kill 9',
      'die 137',
      'destroy',
    ]);
    const format = '{{.Actor.Attributes.oldName}} {{.Actor.Attributes.name}}';
    const words = ['events', '--since', '10m', '--until', '0s', '-f', 'event=rename', '--format', format];
    expect(await a3sOk([...words, '-f', `container=${renamed}`])).toBe(`/${name} ${renamed}`);
  });

  test('tell how a command ends that was left to itself', async () => {
    const name = await boxes.detached('left', ['a3s/base', 'sleep', '600']);
    expect(await a3s(['exec', '-d', name, 'sh', '-c', 'sleep 0.5; exit 9'])).toMatchObject({
      status: 0,
      out: '',
      err: '',
    });
    await until('its end', async () => (await told(name)).at(-1) === 'exec_die 9');
    expect(await a3s(['exec', '-d', name, 'nosuch'])).toMatchObject({ status: 1, out: '' });
    expect(await told(name)).toEqual([
      'create',
      'start',
      'exec_create: sh -c sleep 0.5; exit 9',
      'exec_start: sh -c sleep 0.5; exit 9',
      'exec_die 9',
      'exec_create: nosuch',
      'exec_die 127',
    ]);
  });

  test('tell what is read of a box, and written into it', async () => {
    const name = await boxes.detached('files', ['a3s/base', 'sleep', '600']);
    await a3sOk(['cp', `${name}:/etc/passwd`, '-']);
    await a3sOk(['cp', '-', `${name}:/tmp`], { stdin: Buffer.alloc(1024) });
    await a3s(['top', name]);
    await a3sOk(['export', '-o', '/dev/null', name]);
    const image = await a3sOk(['commit', '-m', 'as it is', name, 'events/made:1']);
    const format =
      '{{.Action}} {{with index .Actor.Attributes "imageID"}}{{.}} {{end}}' +
      '{{with index .Actor.Attributes "imageRef"}}{{.}} {{end}}{{with index .Actor.Attributes "comment"}}{{.}}{{end}}';
    const words = ['events', '--since', '10m', '--until', '0s', '-f', `container=${name}`];
    expect((await a3sOk([...words, '--format', format])).split('\n').map((line) => line.trim())).toEqual([
      'create',
      'start',
      'archive-path',
      'extract-to-dir',
      'top',
      'export',
      `commit ${image} events/made:1 as it is`,
    ]);
    await a3sOk(['save', '-o', '/dev/null', 'events/made:1']);
    const ofImage = ['events', '--since', '10m', '--until', '0s', '-f', `image=${image}`, '-f', 'event=save'];
    expect(await a3sOk([...ofImage, '--format', '{{.Actor.ID}} {{.Actor.Attributes.name}}'])).toBe(
      `${image} ${image}`,
    );
    await a3sOk(['rmi', 'events/made:1']);
  });

  test('tell which volumes a box has in use', async () => {
    const [name, volume] = [boxes.name('volumes'), 'events-data'];
    await a3sOk(['run', '--name', name, '-v', `${volume}:/data:ro`, 'a3s/base', 'true']);
    await a3sOk(['rm', name]);
    await a3sOk(['volume', 'rm', volume]);
    const words = ['events', '--since', '10m', '--until', '0s', '-f', `volume=${volume}`];
    const format = '{{.Action}} {{json .Actor.Attributes}}';
    const lines = (await a3sOk([...words, '--format', format])).split('\n');
    expect(lines.map((line) => line.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'))).toEqual([
      'create {"driver":"local"}',
      'mount {"container":"ID","destination":"/data","driver":"local","propagation":"","read/write":"false"}',
      'unmount {"container":"ID","driver":"local"}',
      'destroy {"driver":"local"}',
    ]);
  });

  test('tell what was freed', async () => {
    const name = boxes.name('freed');
    await a3sOk(['create', '--name', name, '-l', `only=${name}`, 'a3s/base', 'true']);
    const only = ['-f', '--filter', `label=only=${name}`];
    const since = new Date().toISOString();
    for (const kind of ['container', 'volume', 'image']) await a3sOk([kind, 'prune', ...only]);
    const words = [
      'events',
      '--since',
      since,
      '--until',
      '0s',
      '-f',
      'event=prune',
      '--format',
      '{{json .}}',
    ];
    const events = (await a3sOk(words)).split('\n').map((line): unknown => JSON.parse(line));
    expect(events).toMatchObject(
      ['container', 'volume', 'image'].map((type) => ({
        Type: type,
        Action: 'prune',
        Actor: { ID: '', Attributes: { reclaimed: expect.stringMatching(/^\d+$/) } },
      })),
    );
  });

  test('tell who joins a box, who leaves it, and the size of the window', async () => {
    const name = boxes.name('joined');
    const run = `${LAUNCHER} run -it --name ${name} a3s/base sh -c 'echo in; sleep 600'`;
    const terminal = await Terminal.open(run, { rows: 31, cols: 97 });
    try {
      await terminal.shows(/in/);
      terminal.type(DETACH);
      expect((await terminal.ended()).status).toBe(0);
    } finally {
      terminal.close();
    }
    const format = '{{.Action}} {{index .Actor.Attributes "height"}} {{index .Actor.Attributes "width"}}';
    const words = [
      'events',
      '--since',
      '10m',
      '--until',
      '0s',
      '-f',
      `container=${name}`,
      '--format',
      format,
    ];
    const lines = (await a3sOk(words)).replaceAll('<no value>', '').split('\n');
    expect(lines.map((line) => line.trim())).toEqual(['create', 'attach', 'start', 'resize 31 97', 'detach']);
  });

  test('tell how a box with --rm ended', async () => {
    const name = boxes.name('rm');
    await a3s(['run', '--rm', '--name', name, 'a3s/base', 'sh', '-c', 'exit 7']);
    expect(await told(name)).toEqual(['create', 'attach', 'start', 'die 7', 'destroy']);
  });

  test('are shown as they happen, and end when their reader is interrupted', async () => {
    const name = boxes.name('live');
    const follow = new CliProcess([
      'events',
      '-f',
      `container=${name}`,
      '-f',
      'event=create',
      '--since',
      '10m',
    ]);
    await a3sOk(['create', '--name', name, '-l', 'tier=front', 'a3s/base', 'true']);
    await follow.says(/create/);
    expect(follow.out).toMatch(
      new RegExp(
        `^\\d{4}-\\S+\\.\\d{9}\\S+ container create [0-9a-f-]{36} \\(image=a3s/base, name=${name}, tier=front\\)\n$`,
      ),
    );
    follow.child.kill('SIGINT');
    // What a shell calls 130.
    expect(await follow.ended).toMatchObject({ status: null, signal: 'SIGINT', err: '' });
  });

  test('refuse an unknown filter', async () => {
    expect(await a3s(['events', '--filter', 'nosuch=1'])).toMatchObject({
      status: 1,
      out: '',
      err: "Error response from daemon: invalid filter 'nosuch'\n",
    });
  });
});

describe('the disk', () => {
  test('system df has docker’s four rows; -v names each box', async () => {
    const name = boxes.name('df');
    await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
    const rows = (await a3sOk(['system', 'df', '--format', '{{.Type}}'])).split('\n');
    expect(rows).toEqual(['Images', 'Containers', 'Local Volumes', 'Build Cache']);
    const verbose = await a3sOk(['system', 'df', '-v']);
    expect(verbose).toContain('Containers space usage:\n\nCONTAINER ID ');
    expect(verbose).toContain(name);
  });

  test('system prune asks first, and removes what does not run by label', async () => {
    const name = boxes.name('prune');
    const id = await a3sOk(['create', '--name', name, '-l', `only=${name}`, 'a3s/base', 'true']);
    const refused = await a3s(['system', 'prune', '--filter', `label=only=${name}`], { stdin: 'n\n' });
    expect([refused.status, refused.out]).toEqual([
      0,
      'WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n' +
        `  - all dangling images\n  - unused build cache\n\n  Items to be pruned will be filtered with:\n  - label=only=${name}\n` +
        '\nAre you sure you want to continue? [y/N] ',
    ]);
    const pruned = await a3sOk(['system', 'prune', '-f', '--filter', `label=only=${name}`]);
    expect(pruned).toMatch(new RegExp(`^Deleted Containers:\n${id}\n\nTotal reclaimed space: `));
  });

  test('ps -s shows what a box and its image take', async () => {
    const name = boxes.name('size');
    await a3sOk(['run', '--name', name, 'a3s/base', 'true']);
    expect(await a3sOk(['ps', '-a', '-s', '-f', `name=${name}`, '--format', '{{.Size}}'])).toMatch(
      /^[\d.]+[kM]B \(virtual [\d.]+MB\)$/,
    );
  });
});

test('the scripts of completion ask for commands, flags and names', async () => {
  const name = boxes.name('complete');
  await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
  expect(await a3sOk(['__complete', 'rm', name.slice(0, -2)])).toBe(name);
  expect(await a3sOk(['__complete', 'run', 'a3s/b'])).toBe('a3s/base:latest');
  for (const shell of ['bash', 'zsh', 'fish']) {
    expect(await a3sOk(['completion', shell])).toContain('a3s-box __complete');
  }
  expect(await a3s(['completion', 'csh'])).toMatchObject({
    status: 1,
    err: 'unknown shell: "csh": must be one of "bash", "fish", "zsh"\n',
  });
});
