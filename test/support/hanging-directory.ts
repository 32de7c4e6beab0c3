import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { afterEach } from 'vitest';

const reason =
  process.getuid?.() !== 0
    ? 'only root can mount a file system'
    : existsSync('/dev/fuse')
      ? undefined
      : 'the kernel has no FUSE';

/** The title of a test that needs `hangingDirectory`, and whether to skip it. */
export function needsHangingDirectory(title: string): { title: string; isSkipped: boolean } {
  return { title: reason === undefined ? title : `${title} (skipped: ${reason})`, isSkipped: reason !== undefined };
}

const mounted: { path: string; descriptor: number }[] = [];

/** Mounts a FUSE file system that never answers on a new directory. Returns a function that lets all its calls fail. */
export function hangingDirectory(path: string): () => void {
  mkdirSync(path);
  const descriptor = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  execFileSync('mount', ['-i', '-t', 'fuse', '-o', options, 'rq-test', path], {
    stdio: ['ignore', 'inherit', 'inherit', descriptor],
  });
  const entry = { path, descriptor };
  mounted.push(entry);
  return () => unmount(entry);
}

function unmount(entry: { path: string; descriptor: number }): void {
  const index = mounted.indexOf(entry);
  if (index < 0) return;
  mounted.splice(index, 1);
  execFileSync('umount', ['-l', entry.path]);
  closeSync(entry.descriptor);
}

afterEach(() => {
  for (const entry of [...mounted]) unmount(entry);
});
