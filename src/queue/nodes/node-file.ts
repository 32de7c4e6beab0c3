import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { readFlatDocument } from '../../yaml/flat.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const MAX_BYTES = 64 * 1024;

/** A node's own words, and the attributes of its file; undefined for what no feeder put there. Throws as `openSync`. */
export function readNodeFile(path: string): { facts: Record<string, string>; stats: Stats } | undefined {
  // No link is followed, and no pipe is waited for.
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > MAX_BYTES) return undefined;
    return { facts: readFlatDocument(readFileSync(file, 'utf8')), stats };
  } finally {
    closeSync(file);
  }
}
