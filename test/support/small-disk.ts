import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe } from 'vitest';

const reason = process.getuid?.() === 0 ? undefined : 'only root can mount a small file system';

const mounted: string[] = [];

/** A suite that mounts small file systems. It is skipped without root. */
export function describeSmallDisk(title: string, tests: () => void): void {
  describe.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (skipped: ${reason})`, tests);
}

/** Mounts a tmpfs of a size as in mount(8) on a new directory, until the end of the test. */
export function smallDisk(path: string, size: string): void {
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'rq-test', path]);
  mounted.push(path);
}

/** Fills a file system with one file. Returns the path of that file. */
export function fill(path: string): string {
  const filler = join(path, 'filler');
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  return filler;
}

afterEach(() => {
  for (const path of mounted.splice(0)) execFileSync('umount', ['-l', path]);
});
