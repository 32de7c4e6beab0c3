import { closeSync, openSync, readSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';

/** Whether SQLite would roll a journal back. The first byte of a journal that is no longer needed is zero. */
export function isHotJournal(path: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return false;
  }
  const first = Buffer.alloc(1);
  readSync(descriptor, first);
  closeSync(descriptor);
  return first[0] !== 0;
}
