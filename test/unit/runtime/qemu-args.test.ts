import { expect, test } from 'vitest';

import { escapeOption, qemuArguments, type VmPlan, type Share } from '../../../src/runtime/qemu/args.ts';

const shape = { vcpus: 2, memoryMib: 576, shareSlots: 0 };
const common = {
  name: 'a3s-box /home/boxes/1',
  shape,
  accelerator: { name: 'tcg', cpu: 'max' },
  netdev: 'hubport,id=net0,hubid=0',
  shares: [],
  emptyShare: '/home/empty',
  privileged: true,
  qmpFd: 3,
  agentFd: 4,
  consoleFile: '/home/console.log',
} as const;
const template: VmPlan = {
  ...common,
  memory: { file: '/t/memory', mode: 'own' },
  kernel: { vmlinux: '/b/vmlinux', initramfs: '/b/initramfs', commandLine: 'console=hvc0 quiet' },
  incoming: false,
  root: { kind: 'placeholder' },
  scratch: { kind: 'placeholder' },
  transfer: { kind: 'placeholder' },
  shares: [],
};
const clone: VmPlan = {
  ...common,
  memory: { file: '/t/memory', mode: 'copy' },
  incoming: true,
  root: { kind: 'file', path: '/images/root.squashfs', format: 'raw' },
  scratch: { kind: 'file', path: '/boxes/1/scratch.qcow2', format: 'qcow2' },
  transfer: { kind: 'file', path: '/boxes/1/transfer', format: 'raw', fleeting: true },
  shares: [],
};

/** The values of an option, in order. */
const values = (args: string[], option: string): string[] =>
  args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []));

test('a template boots the kernel, owns its memory, and has placeholders for disks', () => {
  const args = qemuArguments(template);
  expect(values(args, '-kernel')).toEqual(['/b/vmlinux']);
  expect(values(args, '-initrd')).toEqual(['/b/initramfs']);
  expect(values(args, '-append')).toEqual(['console=hvc0 quiet']);
  expect(values(args, '-object')).toEqual([
    'memory-backend-file,id=ram,size=576M,mem-path=/t/memory,share=on',
  ]);
  expect(values(args, '-blockdev')).toEqual([
    'driver=null-co,node-name=root,size=1099511627776,read-zeroes=on,read-only=on',
    'driver=null-co,node-name=scratch,size=1099511627776,read-zeroes=on,read-only=off',
    'driver=null-co,node-name=transfer,size=1099511627776,read-zeroes=on,read-only=off',
  ]);
  expect(args).not.toContain('-incoming');
});

test.each([template, clone])(
  'no memory is offered to the kernel to be merged with that of other boxes',
  (plan) => {
    expect(values(qemuArguments(plan), '-M').flatMap((option) => option.split(','))).toContain(
      'mem-merge=off',
    );
  },
);

test('a clone has no kernel, copies memory on write, and waits for its device state', () => {
  const args = qemuArguments(clone);
  for (const option of ['-kernel', '-initrd', '-append']) expect(args).not.toContain(option);
  expect(values(args, '-object')).toEqual([
    'memory-backend-file,id=ram,size=576M,mem-path=/t/memory,share=off',
  ]);
  expect(values(args, '-incoming')).toEqual(['defer']);
  expect(values(args, '-blockdev')).toEqual([
    'driver=raw,node-name=root,read-only=on,file.driver=file,file.filename=/images/root.squashfs',
    'driver=qcow2,node-name=scratch,read-only=off,discard=unmap,file.driver=file,file.filename=/boxes/1/scratch.qcow2',
    'driver=raw,node-name=transfer,read-only=off,discard=unmap,cache.no-flush=on,file.driver=file,file.filename=/boxes/1/transfer',
  ]);
});

test('template and clone have the same devices in the same order', () => {
  const withShares = { shape: { ...shape, shareSlots: 4 } };
  const devices = (plan: VmPlan): string[] => values(qemuArguments({ ...plan, ...withShares }), '-device');
  expect(devices(clone)).toEqual(devices(template));
  expect(devices(clone)).toEqual([
    'virtio-serial-device',
    'virtconsole,chardev=console',
    'virtserialport,chardev=agent,name=a3s.agent.0',
    'virtio-blk-device,drive=root,serial=root',
    'virtio-blk-device,drive=scratch,serial=scratch',
    'virtio-blk-device,drive=transfer,serial=transfer,rerror=report,werror=report',
    'virtio-net-device,netdev=net0,mac=52:54:00:a3:50:01,guest_announce=off',
    ...[0, 1, 2, 3].map((slot) => `virtio-9p-device,fsdev=fs${slot},mount_tag=share${slot}`),
  ]);
  for (const option of ['-M', '-cpu', '-smp', '-m', '-accel']) {
    expect(values(qemuArguments(clone), option)).toEqual(values(qemuArguments(template), option));
  }
});

test.each([
  ['template', template],
  ['clone', clone],
])('a %s is sandboxed and has nothing by default', (_name, plan) => {
  const args = qemuArguments(plan);
  expect(values(args, '-sandbox')).toEqual([
    'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
  ]);
  expect(args).toContain('-nodefaults');
  expect(args).toContain('-no-user-config');
  expect(values(args, '-mon')).toEqual(['chardev=qmp,mode=control']);
});

test('the channels are inherited sockets, and the console goes to its file or nowhere', () => {
  expect(values(qemuArguments(clone), '-chardev')).toEqual([
    'socket,id=qmp,fd=3',
    'socket,id=agent,fd=4',
    'file,id=console,path=/home/console.log',
  ]);
  expect(values(qemuArguments({ ...clone, consoleFile: null }), '-chardev')[2]).toBe('null,id=console');
});

test('share slots that a box does not use export the empty directory, read-only', () => {
  const args = qemuArguments({
    ...clone,
    shape: { ...shape, shareSlots: 3 },
    shares: [
      { path: '/srv/data', readOnly: false, owners: 'drop' },
      { path: '/srv/config', readOnly: true, owners: 'attributes' },
    ],
  });
  expect(values(args, '-fsdev')).toEqual([
    'local,id=fs0,path=/srv/data,security_model=passthrough,multidevs=remap',
    'local,id=fs1,path=/srv/config,security_model=passthrough,multidevs=remap,readonly=on',
    'local,id=fs2,path=/home/empty,security_model=passthrough,multidevs=remap,readonly=on',
  ]);
});

test('without privileges 9p keeps owners in attributes or not at all', () => {
  const share = { path: '/v', readOnly: false };
  const shares: Share[] = [
    { ...share, owners: 'drop' },
    { ...share, owners: 'attributes' },
  ];
  const plan = { ...clone, privileged: false, shape: { ...shape, shareSlots: 2 }, shares };
  expect(values(qemuArguments(plan), '-fsdev')).toEqual([
    'local,id=fs0,path=/v,security_model=none,multidevs=remap',
    'local,id=fs1,path=/v,security_model=mapped-xattr,multidevs=remap',
  ]);
});

test('the emulator has a large translation cache, KVM no options', () => {
  expect(values(qemuArguments(clone), '-accel')).toEqual(['tcg,thread=multi,tb-size=256']);
  const kvm = qemuArguments({ ...clone, accelerator: { name: 'kvm', cpu: 'host' } });
  expect(values(kvm, '-accel')).toEqual(['kvm']);
  expect(values(kvm, '-cpu')).toEqual(['host']);
});

test('a disk that ends with its VM is never flushed', () => {
  const args = qemuArguments({
    ...clone,
    scratch: { kind: 'file', path: '/vm/scratch.qcow2', format: 'qcow2', fleeting: true },
  });
  expect(values(args, '-blockdev')[1]).toBe(
    'driver=qcow2,node-name=scratch,read-only=off,discard=unmap,cache.no-flush=on,file.driver=file,file.filename=/vm/scratch.qcow2',
  );
});

test('a comma in a path stays in the path', () => {
  expect(escapeOption('/a,b,,c')).toBe('/a,,b,,,,c');
  const args = qemuArguments({
    ...clone,
    name: 'a3s-box /h,x',
    memory: { file: '/t,1/memory', mode: 'copy' },
    root: { kind: 'file', path: '/i,readonly=off/root', format: 'raw' },
    scratch: { kind: 'file', path: '/s,1', format: 'qcow2' },
    consoleFile: '/c,1',
    shape: { ...shape, shareSlots: 1 },
    shares: [{ path: '/d,security_model=none', readOnly: true, owners: 'drop' }],
  });
  expect(values(args, '-name')).toEqual(['a3s-box /h,,x']);
  expect(values(args, '-object')[0]).toContain('mem-path=/t,,1/memory,share');
  expect(values(args, '-blockdev')[0]).toMatch(/file\.filename=\/i,,readonly=off\/root$/);
  expect(values(args, '-blockdev')[1]).toMatch(/file\.filename=\/s,,1$/);
  expect(values(args, '-chardev')[2]).toBe('file,id=console,path=/c,,1');
  expect(values(args, '-fsdev')[0]).toContain('path=/d,,security_model=none,security_model=passthrough');
});
