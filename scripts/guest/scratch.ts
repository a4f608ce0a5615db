import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../setup/process.mjs';

/** Virtual size of a box's own disk, in bytes. */
export const scratchSize = 64 * 2 ** 30;

/** Any fixed value does: every box has its own copy, and none ever sees another's. */
const uuid = '6133732d-626f-782d-7363-726174636800';

const features =
  'has_journal,ext_attr,dir_index,filetype,extent,flex_bg,sparse_super2,large_file,huge_file,dir_nlink,' +
  'extra_isize,metadata_csum';

/**
 * Everything that differs from mkfs.ext4's defaults keeps the untouched disk small and its mounts quiet:
 * all metadata in the first clusters, no backup copies across the disk, and inode tables marked as zeroed,
 * because otherwise the guest's kernel would spend its first minutes writing 1 GiB of zeroes.
 */
const extended = [
  'assume_storage_prezeroed=1,lazy_journal_init=1,nodiscard,packed_meta_blocks=1,num_backup_sb=0',
  `root_owner=0:0,hash_seed=${uuid}`,
].join(',');

/** Makes the blank disk that boxes write to: ext4 in a qcow2 image of the allocated clusters only. */
export async function makeScratch(target: string, temporary: string): Promise<void> {
  const raw = join(temporary, 'scratch.raw');
  const file = await open(raw, 'w');
  await file.truncate(scratchSize);
  await file.close();
  const layout = ['-b', '4096', '-I', '256', '-i', '16384', '-m', '0', '-J', 'size=32'];
  const mkfs = ['-q', '-F', '-L', 'a3s-scratch', '-U', uuid, ...layout, '-O', `none,${features}`];
  await run('mkfs.ext4', [...mkfs, '-E', extended, raw], { env: { E2FSPROGS_FAKE_TIME: '1577836800' } });
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-o', 'compat=1.1', raw, target]);
  await rm(raw);
}
