import { closeSync, openSync } from 'node:fs';

/** Does work with an open file, and closes it. `flags`: those of open(2). Throws the errors of `openSync`. */
export function withOpenFile<T>(path: string | Buffer, flags: string | number, work: (file: number) => T): T {
  const file = openSync(path, flags);
  try {
    return work(file);
  } finally {
    closeSync(file);
  }
}
