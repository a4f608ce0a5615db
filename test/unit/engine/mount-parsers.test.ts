import { expect, test } from 'vitest';

import { bindRequest, type MountRequest, volumeRequest } from '../../../src/engine/volumes/mount-request.ts';
import { parseMount } from '../../../src/engine/volumes/parse-mount.ts';
import { parseTmpfs } from '../../../src/engine/volumes/parse-tmpfs.ts';
import { parseVolume } from '../../../src/engine/volumes/parse-volume.ts';

test.each([
  ['/a:/b', { source: '/a', target: '/b', read_only: false }],
  ['/a:/b:ro', { source: '/a', target: '/b', read_only: true, mode: 'ro' }],
  ['/a:/b:rw,z', { source: '/a', target: '/b', read_only: false, mode: 'z' }],
  ['/a/../c/:/b//d/', { source: '/c', target: '/b/d', read_only: false }],
  ['./a:/b', { source: '/work/a', target: '/b', read_only: false }],
  ['..:/b', { source: '/', target: '/b', read_only: false }],
  ['.:/b', { source: '/work', target: '/b', read_only: false }],
])('-v %s', (spec, mount) => {
  expect(parseVolume(spec, '/work')).toEqual(bindRequest(mount));
});

test.each([
  ['', 'usage', 'invalid empty volume spec'],
  [':/b', 'usage', 'invalid spec: :/b: empty section between colons'],
  ['/a:', 'usage', 'invalid spec: /a:: empty section between colons'],
  ['/a:/b:ro:x', 'usage', "invalid volume specification: '/a:/b:ro:x'"],
  ['/a:b', 'usage', "invalid mount path: 'b' mount path must be absolute"],
  ['/a:/', 'usage', "destination can't be '/'"],
  ['/a:/b/..', 'usage', "destination can't be '/'"],
  ['/a:/b:x', 'usage', 'invalid mode: x'],
  ['/a:/b:ro,rw', 'usage', 'invalid mode: ro,rw'],
  ['/a:/b:rshared', 'unsupported', 'mount propagation is not supported: rshared'],
  ['/a:/b:nocopy', 'usage', 'invalid mode: nocopy'],
  ['b', 'usage', "invalid mount path: 'b' mount path must be absolute"],
  ['v:/c', 'invalid_config', 'create v: volume name is too short, names should be at least two'],
  ['a/b:/c', 'invalid_config', 'create a/b: "a/b" includes invalid characters for a local volume name'],
])('-v %j is refused (%s): %s', (spec, code, message) => {
  expect(() => parseVolume(spec, '/work')).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});

test.each([
  ['/run', { target: '/run', options: '', from_mount: false }],
  ['/run:rw,size=64m,mode=1777', { target: '/run', options: 'rw,size=64m,mode=1777', from_mount: false }],
])('--tmpfs %s', (spec, mount) => {
  expect(parseTmpfs(spec)).toEqual(mount);
});

test.each([
  ['run', "invalid mount path: 'run' mount path must be absolute"],
  ['/', "destination can't be '/'"],
  ['/run:size=x', 'invalid tmpfs option ["size=x"]'],
  ['/run:foo', 'invalid tmpfs option ["foo"]'],
])('--tmpfs %s is refused: %s', (spec, message) => {
  expect(() => parseTmpfs(spec)).toThrow(message);
});

test.each<[string, Partial<MountRequest>]>([
  ['data:/b', { source: 'data' }],
  ['data:/b:ro', { source: 'data', read_only: true, mode: 'ro' }],
  ['data:/b:rw,nocopy', { source: 'data', copy: false, mode: 'rw,nocopy' }],
  ['/b', { mode: '', origin: 'volumes' }],
  ['/b/', { mode: '', origin: 'volumes' }],
])('-v %s is a volume', (spec, changes) => {
  expect(parseVolume(spec, '/work')).toEqual(volumeRequest({ target: '/b', ...changes }));
});

const mounted = { target: '/d', origin: 'mounts' as const };

test.each<[string, MountRequest]>([
  ['dst=/d', volumeRequest(mounted)],
  ['type=volume,src=data,dst=/d', volumeRequest({ ...mounted, source: 'data' })],
  ['TYPE=Volume,Source=data,destination=/d/', volumeRequest({ ...mounted, source: 'data' })],
  ['source=data,target=/d,ro', volumeRequest({ ...mounted, source: 'data', read_only: true, mode: 'ro' })],
  ['source=data,target=/d,readonly=false', volumeRequest({ ...mounted, source: 'data' })],
  ['source=data,dst=/d,volume-nocopy', volumeRequest({ ...mounted, source: 'data', copy: false })],
  [
    'source=data,dst=/d,volume-label=a=b,"volume-label=c=d,e",volume-driver=local',
    volumeRequest({ ...mounted, source: 'data', labels: { a: 'b', c: 'd,e' } }),
  ],
  [
    'source=data,dst=/d,volume-subpath=a/./b',
    volumeRequest({ ...mounted, source: 'data', subpath: 'a/b', copy: false }),
  ],
  ['type=bind,src=/s,dst=/d', bindRequest({ ...mounted, source: '/s', makesSource: false })],
  ['type=bind,src=./s,dst=/d', bindRequest({ ...mounted, source: '/work/s', makesSource: false })],
  ['type=bind,src=/s,dst=/d,bind-create-src', bindRequest({ ...mounted, source: '/s' })],
  [
    'type=bind,src=/s,dst=/d,readonly,bind-propagation=rprivate,consistency=cached',
    bindRequest({ ...mounted, source: '/s', makesSource: false, read_only: true, mode: 'ro' }),
  ],
])('--mount %s', (spec, request) => {
  expect(parseMount(spec, '/work')).toEqual(request);
});

test.each([
  ['type=tmpfs,dst=/d', ''],
  ['type=tmpfs,dst=/d,tmpfs-size=64m,tmpfs-mode=01777', 'size=67108864,mode=1777'],
  ['type=tmpfs,dst=/d,ro', 'ro'],
])('--mount %s', (spec, options) => {
  expect(parseMount(spec)).toEqual({ type: 'tmpfs', target: '/d', options, from_mount: true });
});

test.each([
  ['', 'usage', 'value is empty'],
  ['type=bind', 'usage', 'target is required'],
  ['bind', 'usage', "invalid field 'bind' must be a key=value pair"],
  ['typ=bind', 'usage', "unexpected key 'typ' in 'typ=bind'"],
  ['dst=/d,ro=maybe', 'usage', 'invalid value for ro: maybe'],
  ['dst=/d,"a"b', 'usage', 'parse error on line 1, column 10: extraneous or missing " in quoted-field'],
  ['type=tmpfs,dst=/d,tmpfs-size=x', 'usage', 'invalid value for tmpfs-size: x'],
  ['type=tmpfs,dst=/d,tmpfs-mode=9', 'usage', 'invalid value for tmpfs-mode: 9'],
  ['type=bind,src=/s,dst=/d,volume-nocopy', 'usage', "cannot mix 'volume-*' options with mount type 'bind'"],
  ['dst=/d,tmpfs-size=1', 'usage', "cannot mix 'tmpfs-*' options with mount type 'volume'"],
  ['type=nosuch,dst=/d', 'invalid_config', 'invalid mount config for type "nosuch": mount type unknown'],
  [
    'type=bind,dst=/d',
    'invalid_config',
    'invalid mount config for type "bind": field Source must not be empty',
  ],
  ['type=bind,src=s,dst=/d', 'invalid_config', "invalid mount path: 's' mount path must be absolute"],
  ['type=bind,src=/s,dst=d', 'invalid_config', "invalid mount path: 'd' mount path must be absolute"],
  ['dst=/', 'invalid_config', "invalid specification: destination can't be '/'"],
  ['type=tmpfs,src=/s,dst=/d', 'invalid_config', 'field Source must not be specified'],
  [
    'src=a/b,dst=/d',
    'invalid_config',
    'create a/b: "a/b" includes invalid characters for a local volume name',
  ],
  [
    'src=data,dst=/d,volume-subpath=../x',
    'invalid_config',
    'subpath must be a relative path within the volume',
  ],
  ['src=data,dst=/d,volume-opt=type=nfs', 'unsupported', 'volume options are not supported: type=nfs'],
  ['src=data,dst=/d,volume-driver=nfs', 'unsupported', 'volume drivers are not supported: nfs'],
  [
    'type=bind,src=/s,dst=/d,bind-propagation=shared',
    'unsupported',
    'mount propagation is not supported: shared',
  ],
  ['type=image,src=a,dst=/d', 'unsupported', 'mounts of type image are not supported'],
])('--mount %j is refused (%s): %s', (spec, code, message) => {
  expect(() => parseMount(spec, '/work')).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  );
});
