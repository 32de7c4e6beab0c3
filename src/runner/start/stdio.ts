import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { SpawnRequest } from '../protocol/messages.ts';
import { CannotStart, fileFailure } from './start-failure.ts';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;

/** The stdin, stdout and stderr of a child: file descriptors, or /dev/null. */
export type Stdio = [number | 'ignore', number | 'ignore', number | 'ignore'];

/** Opens the files of a job. Throws CannotStart, which names the file; no file stays open then. */
export function openStdio({ stdin, stdout, stderr }: SpawnRequest): Stdio {
  const stdio: Stdio = ['ignore', 'ignore', 'ignore'];
  try {
    if (stdin !== null) stdio[0] = open(stdin, O_RDONLY, 'stdin');
    if (stdout !== null) stdio[1] = open(stdout, O_WRONLY | O_CREAT | O_TRUNC, 'stdout');
    // A file that is opened twice has two offsets, so that stdout and stderr would overwrite each other.
    if (stderr !== null && stderr === stdout) stdio[2] = stdio[1];
    else if (stderr !== null) stdio[2] = open(stderr, O_WRONLY | O_CREAT | O_TRUNC, 'stderr');
    return stdio;
  } catch (error) {
    closeStdio(stdio);
    throw error;
  }
}

export function closeStdio(stdio: Stdio): void {
  for (const descriptor of new Set(stdio)) {
    if (descriptor !== 'ignore') closeQuietly(descriptor);
  }
}

function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // The descriptor is closed nevertheless (close(2)). A late error of a share concerns data of another process.
  }
}

function open(path: string, flags: number, name: string): number {
  let descriptor: number;
  try {
    // Without O_NONBLOCK, a named pipe at this path would block the runner. It has no effect on files and devices.
    descriptor = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o666);
  } catch (error) {
    throw new CannotStart(fileFailure(name, path, error));
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile() || stats.isCharacterDevice()) return descriptor;
  closeSync(descriptor);
  throw new CannotStart(fileFailure(name, path, 'not a regular file'));
}
