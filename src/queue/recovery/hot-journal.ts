import { readSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { withOpenFile } from '../../job/open-file.ts';

/** Whether SQLite would roll a journal back. The first byte of a journal that is no longer needed is zero. */
export function isHotJournal(path: string): boolean {
  const first = Buffer.alloc(1);
  try {
    withOpenFile(path, 'r', (file) => readSync(file, first));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  return first[0] !== 0;
}
