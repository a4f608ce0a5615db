import { expect, test } from 'vitest';

import { csvFields } from '../../../../src/build/dockerfile/instructions/csv-fields.ts';
import { mountFields, parseMount } from '../../../../src/build/dockerfile/instructions/mount.ts';
import type { Mount } from '../../../../src/build/dockerfile/instructions/mount-types.ts';

function mount(flag: string): Mount {
  return parseMount(mountFields(flag), (value) => value.replaceAll('$x', 'expanded'));
}

const MOUNT: Mount = {
  type: 'bind',
  from: '',
  source: '',
  target: '',
  readonly: true,
  size: 0,
  id: '',
  sharing: '',
  required: false,
  env: undefined,
  mode: undefined,
  uid: undefined,
  gid: undefined,
};

test.each<[string, Partial<Mount>]>([
  ['target=/a', { target: '/a' }],
  ['type=bind,from=base,source=/s,dst=/d,rw', { from: 'base', source: '/s', target: '/d', readonly: false }],
  ['src=/$x,destination=/$x', { source: '/expanded', target: '/expanded' }],
  ['target=/a,readwrite=false', { target: '/a', readonly: true }],
  ['target=/a,ro=0', { target: '/a', readonly: false }],
  [
    'type=cache,id=i,target=/c,sharing=Locked,mode=0755,uid=1,gid=2',
    { type: 'cache', id: 'i', target: '/c', sharing: 'locked', mode: 0o755, uid: 1, gid: 2, readonly: false },
  ],
  ['TYPE=cache,target=/c,ro', { type: 'cache', target: '/c' }],
  ['type=tmpfs,target=/t,size=64m', { type: 'tmpfs', target: '/t', size: 64 * 1024 * 1024, readonly: false }],
  ['type=secret,id=s', { type: 'secret', id: 's' }],
  [
    'type=secret,id=s,env=TOKEN,required,mode=0400',
    { type: 'secret', id: 's', env: 'TOKEN', required: true, mode: 0o400 },
  ],
  ['type=secret,src=s,required=true', { type: 'secret', source: 's', required: true }],
  ['type=ssh,required=false', { type: 'ssh' }],
  ['"target=/a,b"', { target: '/a,b' }],
])('--mount=%s is understood', (flag, expected) => {
  expect(mount(flag)).toEqual({ ...MOUNT, ...expected });
});

test.each([
  ['type=foo', 'unsupported mount type "foo"'],
  ['type=tmpfs,target=/', 'invalid mount target "/"'],
  ['type=cache,target=/a/..', 'invalid mount target "/"'],
  ['target=//', 'invalid mount target "/"'],
  ['type=tmfs,target=/a', 'unsupported mount type "tmfs" (did you mean tmpfs?)'],
  ['typ=cache', "unexpected key 'typ' in 'typ=cache' (did you mean type?)"],
  ['type=cache,sharing=lokced', 'unsupported sharing value "lokced" (did you mean locked?)'],
  ['target', "invalid field 'target' must be a key=value pair"],
  ['required', "unexpected key 'required' for mount type 'bind'"],
  ['target=/a,size=1m', "unexpected key 'size' for mount type 'bind'"],
  ['type=tmpfs,size=x', 'invalid value for size: x'],
  ['ro=maybe', 'invalid value for ro: maybe'],
  ['type=cache,mode=9', 'invalid value 9 for mode'],
  ['type=cache,uid=-1', 'invalid value -1 for uid'],
  ['type=cache,gid=4294967296', 'invalid value 4294967296 for gid'],
  ['target=/a,mode=1', 'mode not allowed for "bind" type mounts'],
  ['type=tmpfs,target=/a,uid=1', 'uid not allowed for "tmpfs" type mounts'],
  ['target=/a,sharing=shared', 'invalid cache sharing set for bind mount'],
  ['type=secret', 'invalid secret mount. one of source, target required'],
  ['type=secret,from=a,id=b', 'secret mount should not have a from'],
  ['type=secret,id=a,sharing=shared', 'secret mount should not define sharing'],
  ['type=secret,id=a,source=b', "both source and id can't be set"],
  ['type=ssh,source=a', 'ssh does not support source'],
  ['constructor=1', "unexpected key 'constructor' in 'constructor=1'"],
])('--mount=%s: %s', (flag, message) => {
  expect(() => mount(flag)).toThrow(message);
});

test.each<[string, string[]]>([
  ['a,b', ['a', 'b']],
  [',', ['', '']],
  ['a,', ['a', '']],
  ['"a,b",c', ['a,b', 'c']],
  ['"a""b"', ['a"b']],
  ['""', ['']],
  ['a\r\n', ['a']],
])('the fields of %j are %j', (line, fields) => {
  expect(csvFields(line)).toEqual(fields);
});

test.each(['"a', '"a"b', 'a"b', ''])('%j has no fields', (line) => {
  expect(() => csvFields(line)).toThrow('failed to parse csv mounts');
});
