import { readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Mount, mountAt, readMounts } from './mount.ts';

/** File systems whose data is on this machine. Of all others one may have to wait for another machine. */
const LOCAL_TYPES = new Set(
  'bcachefs btrfs devtmpfs erofs exfat ext2 ext3 ext4 f2fs hostfs iso9660 jfs nilfs2 ntfs3 overlay ramfs reiserfs rootfs squashfs tmpfs udf unknown vfat xfs zfs'.split(
    ' ',
  ),
);
/** As many as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Whether a path leads to a file system that may not answer. Found without asking such a file system anything, since
 * that might not answer: links are followed one by one, as long as they are on this machine.
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
    // No link, or not there: whoever opens it says so better.
    return undefined;
  }
}
