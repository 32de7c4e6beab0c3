import { constants, fstatSync, readFileSync, type Stats, writeSync } from 'node:fs';
import { withOpenFile } from '../../job/open-file.ts';
import { readFlatDocument } from '../../yaml/flat.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
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

/**
 * Changes the text in the file of a node. It is written in place: another host may rename the file at any time, to declare
 * this one lost, and the file must then stay missing. It is padded with empty lines, so that no reader sees a part of the
 * former text. Throws ENOENT if there is no file.
 */
export function changeNodeFile(path: string, text: string): void {
  withOpenFile(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK, (file) => {
    const bytes = Buffer.from(text);
    const padding = Buffer.alloc(Math.max(0, fstatSync(file).size - bytes.length), '\n');
    writeSync(file, Buffer.concat([bytes, padding]), 0, bytes.length + padding.length, 0);
  });
}
