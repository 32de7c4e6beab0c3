import { readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Mount, mountAt, readMounts } from './mount.ts';

/** File systems with local data. Any other may have to wait for another machine. */
const LOCAL_TYPES = new Set(
  'bcachefs btrfs devtmpfs erofs exfat ext2 ext3 ext4 f2fs hostfs iso9660 jfs nilfs2 ntfs3 overlay ramfs reiserfs rootfs squashfs tmpfs udf unknown vfat xfs zfs'.split(
    ' ',
  ),
);
/** The limit of Linux (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Whether a path leads to a file system that may not answer. It does not access such a file system: it resolves links
 * one by one, as long as they are on local file systems.
 */
export function isRemote(path: string, mounts: readonly Mount[] = readMounts()): boolean {
  let names = resolve(path).split('/').filter(Boolean);
  let reached = '/';
  for (let links = 0; names.length > 0 && links <= MAX_LINKS; ) {
    const [name = '', ...others] = names;
    const next = join(reached, name);
    if (!LOCAL_TYPES.has(mountAt(next, mounts).type)) return true;
    const target = linkTarget(next);
    names = others;
    if (target === undefined) {
      reached = next;
      continue;
    }
    links += 1;
    names = [...resolve(dirname(next), target).split('/').filter(Boolean), ...others];
    reached = '/';
  }
  return false;
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // Not a link, or it does not exist. The later open reports an error.
    return undefined;
  }
}
