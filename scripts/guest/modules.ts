/**
 * What a guest may need, each after what it asks for only at run time (modules.dep knows the rest):
 * nobody answers the kernel's own module requests in there.
 */
export const wantedModules: readonly string[] = [
  // Devices
  ...['virtio_mmio', 'virtio_console', 'virtio_blk', 'virtio_net', 'virtio-rng', 'af_packet'],
  // File systems; ext4 and libcrc32c look for a crc32c implementation when they start
  ...['crc32c_generic', 'crc32c-intel', 'ext4', 'squashfs', 'overlay', '9pnet_virtio', '9p', 'virtiofs'],
  // Packet filter
  ...['nfnetlink', 'nf_tables', 'nf_conntrack', 'nft_ct', 'nft_reject', 'nft_reject_ipv4'],
  ...['nft_reject_ipv6', 'nft_reject_inet'],
  // The agent's channel where the hypervisor has a vsock
  'vmw_vsock_virtio_transport',
];

/**
 * Module files in loading order: every module after all it depends on. What is built into the kernel
 * needs no file.
 * @param dependencies the text of depmod's modules.dep
 * @param builtin the text of the kernel's modules.builtin
 * @returns paths as modules.dep gives them
 */
export function moduleFiles(dependencies: string, builtin: string, wanted: readonly string[]): string[] {
  const needs = new Map<string, string[]>();
  for (const line of dependencies.split('\n')) {
    const [file, rest = ''] = line.split(':');
    if (file) needs.set(file, rest.split(' ').filter(Boolean));
  }
  const builtinNames = new Set(builtin.split('\n').map(moduleName));
  const byName = new Map([...needs.keys()].map((file) => [moduleName(file), file]));
  const ordered = new Set<string>();
  // modules.dep lists all indirect dependencies too, the deepest last.
  for (const name of wanted) {
    const file = byName.get(moduleName(name));
    if (file === undefined && builtinNames.has(moduleName(name))) continue;
    if (file === undefined) throw new Error(`the kernel package has no module ${name}`);
    for (const needed of needs.get(file)?.toReversed() ?? []) ordered.add(needed);
    ordered.add(file);
  }
  return [...ordered];
}

function moduleName(file: string): string {
  return file.replace(/^.*\//, '').replace(/\.ko(\..*)?$/, '').replaceAll('-', '_');
}
