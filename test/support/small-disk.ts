import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe } from 'vitest';

const reason = process.getuid?.() === 0 ? undefined : 'only root can mount a small file system';

const mounted: string[] = [];

/** Tests of small disks, skipped where there can be none. */
export function describeSmallDisk(title: string, tests: () => void): void {
  describe.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (skipped: ${reason})`, tests);
}

/** Makes a directory that is a file system of its own, of a size as mount(8) takes it, until the test is over. */
export function smallDisk(path: string, size: string): void {
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'rq-test', path]);
  mounted.push(path);
}

/** Fills it up; gives the file that does, to be removed. */
export function fill(path: string): string {
  const filler = join(path, 'filler');
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  return filler;
}

afterEach(() => {
  for (const path of mounted.splice(0)) execFileSync('umount', ['-l', path]);
});
