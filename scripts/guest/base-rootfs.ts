import type { TarEntry } from './tar-archive.ts';

const directories = [
  ...['bin', 'dev', 'etc', 'home', 'mnt', 'opt', 'proc', 'run', 'sbin', 'srv', 'sys', 'tmp'],
  ...['usr', 'usr/bin', 'usr/local', 'usr/local/bin', 'usr/sbin'],
  ...['var', 'var/log', 'var/run', 'var/spool', 'var/tmp'],
];

const accounts = [
  { name: 'root', id: 0, home: '/root', shell: '/bin/sh' },
  { name: 'daemon', id: 1, home: '/usr/sbin', shell: '/bin/false' },
  { name: 'www-data', id: 33, home: '/var/www', shell: '/bin/false' },
  { name: 'app', id: 1000, home: '/home/app', shell: '/bin/sh' },
  { name: 'nobody', id: 65534, home: '/nonexistent', shell: '/bin/false' },
];

/**
 * The files of the embedded image: busybox under each of its names, and the few others that programs
 * expect everywhere. `app` is there to try an ordinary user with.
 */
export function baseRootFiles(busybox: Buffer, applets: readonly string[]): TarEntry[] {
  const passwd = accounts.map(({ name, id, home, shell }) => `${name}:x:${id}:${id}:${name}:${home}:${shell}\n`);
  const group = accounts.map(({ name, id }) => `${name === 'nobody' ? 'nogroup' : name}:x:${id}:\n`);
  const shadow = accounts.map(({ name }) => `${name}:*:::::::\n`);
  const links = applets.filter((name) => name !== 'busybox');
  return [
    ...directories.map((path) => directory(path, path.endsWith('tmp') ? 0o1777 : 0o755)),
    directory('root', 0o700),
    { ...directory('home/app', 0o755), owner: 1000 },
    { path: 'bin/busybox', mode: 0o755, content: busybox },
    ...links.map((name) => ({ path: `bin/${name}`, mode: 0o777, link: 'busybox' })),
    // Scripts name these two by their full path.
    { path: 'usr/bin/env', mode: 0o777, link: '../../bin/env' },
    { path: 'sbin/init', mode: 0o777, link: '../bin/init' },
    text('etc/passwd', passwd.join('')),
    text('etc/group', group.join('')),
    text('etc/shadow', shadow.join(''), 0o600),
    text('etc/nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n'),
    text('etc/profile', 'PS1=\'\\u@\\h:\\w\\$ \'\n'),
    text('etc/os-release', 'NAME="a3s base"\nID=a3s\nPRETTY_NAME="a3s base (busybox)"\n'),
  ];
}

function directory(path: string, mode: number): TarEntry {
  return { path: `${path}/`, mode };
}

function text(path: string, content: string, mode = 0o644): TarEntry {
  return { path, mode, content: Buffer.from(content) };
}
