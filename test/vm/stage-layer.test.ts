import { expect, test } from 'vitest';

import {
  bytesOf,
  described,
  layerOf,
  LISTING,
  look,
  openStage,
  run,
  sh,
  shell,
  tar,
  THEN,
  type Piece,
} from './fixture/stage.ts';

const LATER = 1_600_000_000;
const CAPABILITY =
  '\u0001\u0000\u0000\u0002\u0000\u0004\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000';
const ATTRIBUTES = [
  ['security.capability', CAPABILITY],
  ['user.note', 'kept\u0000\u00ff'],
] as const;

/** What the commands find: one tree for each kind of change. */
const FOUND: Piece[] = [
  { name: 't/' },
  { name: 't/appended', content: 'one\n' },
  { name: 't/attributes', content: 'x', xattrs: ATTRIBUTES },
  { name: 't/gone', content: 'x' },
  { name: 't/gone-dir/' },
  { name: 't/gone-dir/x', content: 'x' },
  { name: 't/mode', content: 'x' },
  { name: 't/moved/' },
  { name: 't/moved/a', content: 'a' },
  { name: 't/moved/in/' },
  { name: 't/moved/in/b', content: 'b', uid: 5, gid: 6 },
  { name: 't/named-twice', content: 'x' },
  { name: 't/owner', content: 'x', mode: 0o755 },
  { name: 't/quiet/' },
  { name: 't/quiet/deep/' },
  { name: 't/quiet/deep/x', content: 'x' },
  { name: 't/remade/', mode: 0o700, uid: 7 },
  { name: 't/remade/p', content: 'p' },
  { name: 't/remade/q', content: 'q' },
  { name: 't/remade/sub/' },
  { name: 't/remade/sub/r', content: 'r' },
  { name: 't/remade/sub/s', content: 's' },
  { name: 't/rewritten', content: 'same\n' },
  { name: 't/symlink', type: 'symlink', link: 'gone', mode: 0o777 },
  { name: 't/time', content: 'x' },
  { name: 't/touched-dir/' },
  { name: 't/turned-dir', content: 'x' },
  { name: 't/turned-file/' },
  { name: 't/turned-file/x', content: 'x' },
  { name: 't/untouched', content: 'x' },
];

const CHANGES = `
cd /t
echo two >> appended
chmod 640 attributes
rm gone; rm -r gone-dir
chmod 4711 mode
mv moved new-name
ln named-twice second-name
chown 12:34 owner
chmod 600 quiet/deep/x; chmod 644 quiet/deep/x
rm -r remade; mkdir remade; echo new > remade/q; mkdir remade/sub; echo s2 > remade/sub/s
cp -p rewritten copy; cat copy > rewritten; touch -d @${THEN} rewritten; rm copy
ln -sf elsewhere symlink
touch -d @${LATER} time
touch -d @${LATER} touched-dir
rm turned-dir; mkdir turned-dir; echo x > turned-dir/y
rm -r turned-file; echo file > turned-file
mkdir -m 1777 made; mkdir -p made/deep/er
mkfifo made/fifo; mknod made/device c 1 3; mknod made/disk b 7 300
truncate -s 1000000 made/sparse; printf end >> made/sparse
printf 'a\\377b' > "$(printf 'made/odd \\377\\001')"
n=$(printf '%0120d' 7); mkdir made/$n; echo long > made/$n/$n
echo temporary > made/t; rm made/t; mkdir made/t; rm -r made/t
touch -d @${LATER} made made/*
`;

test('a layer holds what a command has changed, entry by entry, and nothing else', async () => {
  const vm = await openStage();
  await vm.addLayer(tar(...FOUND));
  await sh(vm, CHANGES);
  const layer = await layerOf(vm);
  const long = '7'.padStart(120, '0');
  const now = (line: string): string => line.replace(` @${THEN}`, '').replace(` @${LATER}`, '');
  expect(described(layer, [LATER]).map(now)).toEqual([
    'directory t/ 755 0:0',
    'file t/appended 644 0:0 "one\\ntwo\\n"',
    `file t/attributes 640 0:0 "x" security.capability=${JSON.stringify(CAPABILITY)} user.note="kept\\u0000ÿ"`,
    'file t/.wh.gone 0 0:0',
    'file t/.wh.gone-dir 0 0:0',
    'directory t/made/ 1777 0:0',
    `directory t/made/${long}/ 755 0:0`,
    `file t/made/${long}/${long} 644 0:0 "long\\n"`,
    'directory t/made/deep/ 755 0:0',
    'directory t/made/deep/er/ 755 0:0',
    'character t/made/device 644 0:0 1,3',
    'block t/made/disk 644 0:0 7,300',
    'fifo t/made/fifo 644 0:0',
    'file t/made/odd ÿ\u0001 644 0:0 "aÿb"',
    'file t/made/sparse 644 0:0 1000003 bytes',
    'file t/mode 4711 0:0 "x"',
    'file t/.wh.moved 0 0:0',
    'file t/named-twice 644 0:0 "x"',
    'directory t/new-name/ 755 0:0',
    'file t/new-name/a 644 0:0 "a"',
    'directory t/new-name/in/ 755 0:0',
    'file t/new-name/in/b 644 5:6 "b"',
    'file t/owner 755 12:34 "x"',
    'directory t/remade/ 755 0:0',
    'file t/remade/.wh.p 0 0:0',
    'file t/remade/q 644 0:0 "new\\n"',
    'directory t/remade/sub/ 755 0:0',
    'file t/remade/sub/.wh.r 0 0:0',
    'file t/remade/sub/s 644 0:0 "s2\\n"',
    'hardlink t/second-name 644 0:0 -> t/named-twice',
    'symlink t/symlink 777 0:0 -> elsewhere',
    'file t/time 644 0:0 "x"',
    'directory t/touched-dir/ 755 0:0',
    'directory t/turned-dir/ 755 0:0',
    'file t/turned-dir/y 644 0:0 "x\\n"',
    'file t/turned-file 644 0:0 "file\\n"',
  ]);
  const time = (name: string): number | undefined =>
    layer.entries.find((entry) => entry.name === name)?.mtime;
  expect(['t/mode', 't/new-name/in/b', 't/named-twice'].map(time)).toEqual([THEN, THEN, THEN]);
  expect(['t/time', 't/touched-dir/', 't/made/', 't/made/fifo'].map(time)).toEqual([
    LATER,
    LATER,
    LATER,
    LATER,
  ]);
  expect(['t/.wh.gone', 't/remade/.wh.p'].map(time)).toEqual([0, 0]);
  const sparse = layer.entries.find(({ name }) => name === 't/made/sparse')?.content ?? '';
  expect(sparse === `${'\0'.repeat(1_000_000)}end`).toBe(true);
});

test('a layer that is added elsewhere makes the same tree', async () => {
  const vm = await openStage();
  await vm.addLayer(tar(...FOUND));
  await sh(vm, CHANGES);
  const layer = await layerOf(vm);
  const list = { args: ['/bin/sh', '-c', LISTING, '/t'] };
  const tree = await look(vm, '', list);
  const other = await openStage();
  await other.addLayer(tar(...FOUND));
  await other.addLayer(bytesOf(layer));
  expect(await look(other, '', list)).toBe(tree);
});

test('a command that changes nothing makes an empty layer, and steps see what earlier ones made', async () => {
  const vm = await openStage();
  await sh(vm, 'true');
  expect((await layerOf(vm)).entries).toEqual([]);
  await sh(vm, 'echo 1 > /first');
  expect(described(await layerOf(vm))).toEqual(['file first 644 0:0 "1\\n"']);
  await sh(vm, 'echo 2 > /forgotten; rm /first');
  await vm.discard();
  await sh(vm, 'cat /first; test ! -e /forgotten; echo 3 > /third');
  expect(described(await layerOf(vm))).toEqual(['file third 644 0:0 "3\\n"']);
  await vm.addLayer(tar({ name: 'fourth', content: '4' }));
  expect(await look(vm, 'cat /third /fourth')).toBe('3\n4');
});

test('times above a limit become the limit, and what is then as it was is left out', async () => {
  const vm = await openStage();
  await vm.addLayer(tar({ name: 'd/', mtime: LATER }, { name: 'd/old', mtime: 1 }));
  await sh(
    vm,
    'echo 1 > /d/new; touch -d @5 /d/older; rm -f /d/x; touch -d @2000000000 /d; mkdir /e; rmdir /e',
  );
  const layer = await layerOf(vm, THEN);
  expect(layer.entries.map(({ name, mtime }) => [name, mtime])).toEqual([
    ['d/', THEN],
    ['d/new', THEN],
    ['d/older', 5],
  ]);
  await sh(vm, 'touch /d/x; rm /d/x; echo 1 > /d/new');
  expect((await layerOf(vm, THEN)).entries).toEqual([]);
});

test('owner and mode of the root are part of a layer', async () => {
  const vm = await openStage();
  await sh(vm, 'chmod 750 /; chown 0:9 /');
  expect(described(await layerOf(vm))).toEqual(['directory ./ 750 0:9']);
  await sh(vm, 'stat -c "%a %g" / > /seen');
  expect(described(await layerOf(vm))).toEqual(['file seen 644 0:0 "750 9\\n"']);
});

test('a name that no layer can hold is refused by name', async () => {
  const vm = await openStage();
  await sh(vm, 'mkdir /d; touch /d/.wh.x');
  await expect(layerOf(vm)).rejects.toMatchObject({
    code: 'io',
    message: 'd/.wh.x: a layer cannot hold a name that begins with ".wh."',
  });
});

test('layers are applied by the rules of the image specification', async () => {
  const vm = await openStage();
  await vm.addLayer(
    tar(
      { name: 'real/', uid: 3, xattrs: [['user.old', '1']] },
      { name: 'real/in', content: 'lower' },
      { name: 'way', type: 'symlink', link: '/real' },
      { name: 'file', content: 'lower' },
      { name: 'dir/' },
      { name: 'dir/x' },
      { name: 'hidden/' },
      { name: 'hidden/!early' },
      { name: 'hidden/x' },
      { name: 'hidden/sub/' },
      { name: 'hidden/sub/y' },
      { name: 'gone' },
    ),
  );
  await sh(vm, 'true');
  await layerOf(vm);
  await vm.addLayer(
    tar(
      { name: '.wh.gone' },
      { name: '.wh.never-there' },
      { name: 'new/parents/file', content: 'x' },
      { name: 'way/added', content: 'through a link' },
      { name: 'file/', mode: 0o711 },
      { name: 'file/x' },
      { name: 'dir', content: 'now a file' },
      { name: 'hidden/' },
      { name: 'hidden/!early', content: 'this one stays' },
      { name: 'hidden/sub/', mode: 0o700 },
      { name: 'hidden/.wh..wh..opq' },
      { name: 'hidden/late' },
      { name: 'link', type: 'hardlink', link: 'real/in', mode: 0o600, uid: 9 },
    ),
  );
  const seen = await look(
    vm,
    'cd /; ls gone never-there 2>/dev/null; ls -A hidden hidden/sub; cat new/parents/file real/added dir "hidden/!early"; ' +
      'stat -c "%n %a %u %h" file real/in link new',
  );
  expect(seen.split('\n')).toEqual([
    'hidden:',
    '!early',
    'late',
    'sub',
    '',
    'hidden/sub:',
    'xthrough a linknow a filethis one staysfile 711 0 2',
    'real/in 600 9 2',
    'link 600 9 2',
    'new 755 0 3',
    '',
  ]);
});

test('holes, line ends, second names of capable files and names of deletions come as they are', async () => {
  const vm = await openStage();
  const long = `line\nend-${'n'.repeat(150)}`;
  const pieces: Piece[] = [
    { name: 'd/' },
    { name: 'd/sparse', size: 1_000_003, sparse: [{ offset: 500_000, length: 6 }], content: 'middle' },
    { name: 'd/hole', size: 9000, sparse: [] },
    { name: `d/${long}`, content: 'long' },
    { name: 'd/note', content: 'x', xattrs: [['user.note', 'a\n20 size=1000000000\n']] },
    { name: 'd/one', content: 'x', mode: 0o755, xattrs: [['security.capability', CAPABILITY]] },
    { name: 'd/two', type: 'hardlink', link: 'd/one', mode: 0o755 },
  ];
  await vm.addLayer(tar(...pieces));
  const looked = 'cd "$0"; stat -c "%s %b" sparse hole; tr -d "\\000" <sparse; cat line*; ls -A | wc -l';
  // A last page that is no whole one is written.
  const expected = ['1000003 16', '9000 8', 'middlelong6', ''].join('\n');
  const found = (top: string): string => looked.replace('"$0"', top);
  expect(await sh(vm, `${found('/d')}; touch one two note`)).toBe(expected);
  const mark = `"x" security.capability=${JSON.stringify(CAPABILITY)}`;
  expect(described(await layerOf(vm))).toEqual([
    'directory d/ 755 0:0',
    'file d/note 644 0:0 "x" user.note="a\\n20 size=1000000000\\n"',
    `file d/one 755 0:0 ${mark}`,
    `file d/two 755 0:0 ${mark}`,
  ]);
  const bound = tar(...pieces, { name: 'd/.wh.note', content: 'kept' });
  const mounts = [{ type: 'bind', target: '/in', readOnly: true, tar: bound, single: null }] as const;
  expect(await look(vm, `${found('/in/d')}; cat note .wh.note`, { mounts })).toBe(
    expected.replace('long6', 'long7') + 'xkept',
  );
});

test('a layer that leads out of the root is refused, and nothing works on after it', async () => {
  const vm = await openStage();
  const added = vm.addLayer(tar({ name: 'ok' }, { name: 'a/../../out', content: 'x' }));
  await expect(added).rejects.toMatchObject({ code: 'io', message: 'a/../../out: operation not permitted' });
  await expect(run(vm, shell('true'))).rejects.toMatchObject({ code: 'io' });
});

test('an archive that breaks off is refused', async () => {
  const vm = await openStage();
  const half = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of tar({ name: 'f', content: 'x'.repeat(5000) })) yield piece.subarray(0, 2048);
  };
  await expect(vm.addLayer(half())).rejects.toMatchObject({ code: 'io' });
});
