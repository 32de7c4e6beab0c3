import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { SpawnRequest } from '../protocol/protocol.ts';
import { CannotStart, fileFailure } from './start-failure.ts';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;

/** Standard input, output and error of a child: file descriptors, or /dev/null. */
export type Stdio = [number | 'ignore', number | 'ignore', number | 'ignore'];

/** Opens a job's files. Throws CannotStart that names the file; none is left open then. */
export function openStdio({ stdin, stdout, stderr }: SpawnRequest): Stdio {
  const stdio: Stdio = ['ignore', 'ignore', 'ignore'];
  try {
    if (stdin !== null) stdio[0] = open(stdin, O_RDONLY, 'stdin');
    if (stdout !== null) stdio[1] = open(stdout, O_WRONLY | O_CREAT | O_TRUNC, 'stdout');
    // Opened twice, each would write over what the other wrote.
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
    // It is closed all the same (close(2)), and a share's late error is about nothing that was written here.
  }
}

function open(path: string, flags: number, name: string): number {
  let descriptor: number;
  try {
    // Non-blocking, or a pipe that somebody put there would stop the runner; files and devices do not mind.
    descriptor = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o666);
  } catch (error) {
    throw new CannotStart(fileFailure(name, path, error));
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile() || stats.isCharacterDevice()) return descriptor;
  closeSync(descriptor);
  throw new CannotStart(fileFailure(name, path, 'not a file'));
}
