import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ExecaError } from 'execa';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { runProgram } from '../../job/run-program.ts';
import { syncFile } from '../files/sync-file.ts';

/**
 * The message of GNU tar if a process that a job left behind writes to the job's output while tar reads it. The file in
 * the rotation is a hard link of the one in the queue.
 */
const CHANGED = /: (?:file changed as we read it|File shrank by \d+ bytes?; padding with zeros)$/;
const GREW = /\/(?:stdout|stderr)\/\d+: (?:Mod time|Size) differs$/;

/** Whether the rotation to a path is one compressed file. */
export function isArchive(path: string): boolean {
  return /(?:\.tgz|\.tar\.gz)$/.test(path);
}

/** Throws IO if the program tar is missing. */
export async function requireTar(): Promise<void> {
  try {
    await runProgram('tar', ['--version']);
  } catch (error) {
    const message = 'cannot rotate to a .tgz file: this host has no tar program; name a directory instead';
    throw new RqError('IO', message, { cause: error });
  }
}

/** Packs a directory into a file, compares the two, and syncs the file. Returns its path. */
export async function archiveRotation(directory: string, file: string): Promise<string> {
  rmSync(file, { force: true });
  // Only users who can read the queue can read the archive: tar keeps the mode of an existing file.
  closeSync(openSync(file, 'wx', statSync(directory).mode & 0o660));
  const options = ['--file', file, '--directory', dirname(directory), '--gzip'];
  try {
    await runTar(['--create', ...options, '--', basename(directory)], CHANGED);
    await runTar(['--compare', ...options], GREW);
  } catch (error) {
    throw archiveError(error, file);
  }
  syncFile(file);
  return file;
}

/** Runs tar. Its exit status 1 (some files differ) is no error if every line that it prints matches `harmless`. */
async function runTar(options: readonly string[], harmless: RegExp): Promise<void> {
  try {
    await runProgram('tar', options, { env: { LC_ALL: 'C' } });
  } catch (error) {
    if (!(error instanceof ExecaError) || error.exitCode !== 1) throw error;
    const lines = [error.stdout, error.stderr]
      .flatMap((text) => String(text).split('\n'))
      .filter((line) => line !== '');
    if (lines.length === 0 || !lines.every((line) => harmless.test(line))) throw error;
  }
}

function archiveError(error: unknown, file: string): RqError {
  const text =
    error instanceof ExecaError
      ? String(error.stderr)
          .split('\n')
          .find((line) => line !== '')
      : undefined;
  const isFull = /No space left|quota exceeded/i.test(text ?? '') || errorCode(error) === 'ENOSPC';
  const reason = isFull
    ? 'the disk or your quota is full; nothing was changed; free some space and try again'
    : (text ?? errorMessage(error));
  return new RqError(isFull ? 'NO_SPACE' : 'IO', `cannot rotate to ${file}: ${reason}`, { cause: error });
}
