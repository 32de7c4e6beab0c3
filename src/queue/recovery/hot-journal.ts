import { closeSync, openSync, readSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';

/** Whether SQLite would roll a journal back: one whose first byte is zero was finished with. */
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
