import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ExecaError, execa } from 'execa';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import { syncFile } from '../files/sync-file.ts';

/**
 * What GNU tar says of a job's output that is written to while it is read, by a process that the job left behind: the
 * queue's file is the rotation's too.
 */
const CHANGED = /: (?:file changed as we read it|File shrank by \d+ bytes?; padding with zeros)$/;
const GREW = /\/(?:stdout|stderr)\/\d+: (?:Mod time|Size) differs$/;

/** Whether a rotation of this name is to be one compressed file. */
export function isArchive(path: string): boolean {
  return /(?:\.tgz|\.tar\.gz)$/.test(path);
}

/** Throws IO where there is no tar. */
export async function requireTar(): Promise<void> {
  try {
    await execa('tar', ['--version']);
  } catch (error) {
    const message = 'cannot rotate to a .tgz: there is no tar program; name a directory instead';
    throw new RqError('IO', message, { cause: error });
  }
}

/** Packs a directory into a file, reads it back to compare, and syncs it; gives the file. */
export async function archiveRotation(directory: string, file: string): Promise<string> {
  rmSync(file, { force: true });
  // Readable to who can read the queue, and to nobody else: tar leaves the mode of a file that is there.
  closeSync(openSync(file, 'wx', statSync(directory).mode & 0o660));
  const words = ['--file', file, '--directory', dirname(directory), '--gzip'];
  try {
    await runTar(['--create', ...words, '--', basename(directory)], CHANGED);
    await runTar(['--compare', ...words], GREW);
  } catch (error) {
    throw archiveFault(error, file);
  }
  syncFile(file);
  return file;
}

/** Runs tar; its status 1, some files differ, is none of failure if all that it says is of this kind. */
async function runTar(words: readonly string[], harmless: RegExp): Promise<void> {
  try {
    await execa('tar', words, { env: { LC_ALL: 'C' } });
  } catch (error) {
    if (!(error instanceof ExecaError) || error.exitCode !== 1) throw error;
    const lines = [error.stdout, error.stderr]
      .flatMap((text) => String(text).split('\n'))
      .filter((line) => line !== '');
    if (lines.length === 0 || !lines.every((line) => harmless.test(line))) throw error;
  }
}

function archiveFault(error: unknown, file: string): RqError {
  const text =
    error instanceof ExecaError
      ? String(error.stderr)
          .split('\n')
          .find((line) => line !== '')
      : undefined;
  const isFull = /No space left|quota exceeded/i.test(text ?? '') || errorCode(error) === 'ENOSPC';
  const why = isFull ? 'the disk or your quota is full; nothing was changed' : (text ?? errorMessage(error));
  return new RqError(isFull ? 'NO_SPACE' : 'IO', `cannot rotate to ${file}: ${why}`, { cause: error });
}
