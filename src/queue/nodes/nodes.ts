import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { readNodeFile } from './node-file.ts';

/** Behind the name of a host that others took for lost; no host's name has such a character. */
const LOST = '~lost';

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
    const node = readNodeFile(path);
    if (node === undefined) return [];
    const { facts, stats } = node;
    const isLost = name.endsWith(LOST);
    const host = isLost ? name.slice(0, -LOST.length) : name;
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
    const { ino, mtimeNs } = isFresh ? freshStat(path) : lstatSync(path, { bigint: true });
    return `${ino}:${mtimeNs}`;
  } catch (error) {
    // A link is none of a feeder's.
    if (['ENOENT', 'ELOOP'].includes(errorCode(error) ?? '')) return 'none';
    throw error;
  }
}

/** Marks a node as lost: its file gets another name, which it finds out at its next beat. */
export function markLost(queueDirectory: string, host: string): void {
  try {
    renameSync(nodePath(queueDirectory, host), lostNodePath(queueDirectory, host));
  } catch (error) {
    // It has none, or may not be renamed by this user: nothing depends on it.
    if (errorCode(error) === undefined) throw error;
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
