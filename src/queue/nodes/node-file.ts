import { constants, fstatSync, readFileSync, type Stats } from 'node:fs';
import { withOpenFile } from '../../job/open-file.ts';
import { readFlatDocument } from '../../yaml/flat.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const MAX_BYTES = 64 * 1024;

/**
 * Reads the file of a node and its attributes. Returns undefined for a file that no feeder writes, such as a pipe or a
 * huge file. Throws the errors of `openSync`.
 */
export function readNodeFile(path: string): { facts: Record<string, string>; stats: Stats } | undefined {
  // O_NOFOLLOW refuses a link, and O_NONBLOCK does not wait for the writer of a pipe.
  return withOpenFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, (file) => {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > MAX_BYTES) return undefined;
    return { facts: readFlatDocument(readFileSync(file, 'utf8')), stats };
  });
}
