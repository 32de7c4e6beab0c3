import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ExecaError, execa } from 'execa';
import { errorCode, errorMessage, RqError } from '../job/errors.ts';
import { syncFile } from './sync-file.ts';

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
    await execa('tar', ['--create', ...words, basename(directory)]);
    await execa('tar', ['--compare', ...words]);
  } catch (error) {
    throw archiveFault(error, file);
  }
  syncFile(file);
  return file;
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
