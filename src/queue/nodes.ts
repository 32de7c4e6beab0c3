import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { readFlatDocument } from '../yaml/flat.ts';

/** Behind the name of a host that others took for lost; no host's name has such a character. */
const LOST = '~lost';
const MAX_BYTES = 64 * 1024;

/** What is known of a node that feeds: its own words, and when the server last saw its beat. */
export interface Node {
  readonly host: string;
  /** Others took it for lost, and it did not come back since. */
  readonly isLost: boolean;
  /** What its feeder wrote, as text by name. */
  readonly facts: Readonly<Record<string, string>>;
  readonly lastBeat: string;
}

/** The nodes of a queue by the files in `nodes/`; those that cannot be read are left out. */
export function readNodes(queueDirectory: string): Node[] {
  const names = readdirSync(join(queueDirectory, 'nodes')).filter((name) => !name.startsWith('.'));
  return names.sort().flatMap((name) => readNode(queueDirectory, name));
}

function readNode(queueDirectory: string, name: string): Node[] {
  const path = join(queueDirectory, 'nodes', name);
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > MAX_BYTES) return [];
    const isLost = name.endsWith(LOST);
    const host = isLost ? name.slice(0, -LOST.length) : name;
    const facts = readFlatDocument(readFileSync(path, 'utf8'));
    return [{ host, isLost, facts, lastBeat: stats.mtime.toISOString() }];
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}

/** Where a node's file is. */
export function nodePath(queueDirectory: string, host: string): string {
  return join(queueDirectory, 'nodes', host);
}

/** Where the file of a node is that others took for lost. */
export function lostNodePath(queueDirectory: string, host: string): string {
  return `${nodePath(queueDirectory, host)}${LOST}`;
}

/**
 * A node's sign of life: an opaque value that changes with each beat, 'none' if it has no file. What an NFS client
 * remembers of it may be a minute old; `isFresh` asks the server, by opening the file.
 */
export function nodeSign(queueDirectory: string, host: string, isFresh: boolean): string {
  const path = nodePath(queueDirectory, host);
  try {
    const { ino, mtimeNs } = isFresh ? freshStat(path) : statSync(path, { bigint: true });
    return `${ino}:${mtimeNs}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'none';
    throw error;
  }
}

/** Marks a node as lost: its file gets another name, which it finds out at its next beat. */
export function markLost(queueDirectory: string, host: string): void {
  try {
    renameSync(nodePath(queueDirectory, host), lostNodePath(queueDirectory, host));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function freshStat(path: string): { ino: bigint; mtimeNs: bigint } {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return fstatSync(descriptor, { bigint: true });
  } finally {
    closeSync(descriptor);
  }
}
