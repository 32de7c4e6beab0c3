import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { readNodeFile } from './node-file.ts';

/** What is known of a node that feeds: its own words, and when the server last saw its beat. */
export interface Node {
  readonly host: string;
  readonly slots: number | undefined;
  readonly lastBeat: string;
}

/** The nodes of a queue by the files in `nodes/`; those that cannot be read are left out. */
export function readNodes(queueDirectory: string): Node[] {
  const folder = join(queueDirectory, 'nodes');
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return names.sort().flatMap((host) => readNode(join(folder, host), host));
}

function readNode(path: string, host: string): Node[] {
  try {
    const node = readNodeFile(path);
    if (node === undefined) return [];
    const { facts, stats } = node;
    const slots = Number(facts['slots']);
    return [{ host, slots: Number.isSafeInteger(slots) ? slots : undefined, lastBeat: stats.mtime.toISOString() }];
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}
