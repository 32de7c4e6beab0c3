import { constants, fstatSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { withOpenFile } from '../../job/open-file.ts';
import { readNodeFile } from './node-file.ts';

/** The interval between the heartbeats of a node, unless its file states another one. */
export const HEARTBEAT_MS = 30_000;
/** The suffix of the file of a node that was declared lost. Host names do not contain this character. */
const LOST_SUFFIX = '~lost';

export interface Node {
  readonly host: string;
  /** Another host declared it lost, and it has not returned since. */
  readonly isLost: boolean;
  /** The text that its feeder wrote, by name. */
  readonly facts: Readonly<Record<string, string>>;
  /** The time stamp of its file, by the server's clock. */
  readonly lastHeartbeat: string;
}

/** Reads the files in `nodes/`, and omits those that cannot be read. */
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
    const isLost = name.endsWith(LOST_SUFFIX);
    const host = isLost ? name.slice(0, -LOST_SUFFIX.length) : name;
    return [{ host, isLost, facts, lastHeartbeat: stats.mtime.toISOString() }];
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}

export function nodePath(queueDirectory: string, host: string): string {
  return join(queueDirectory, 'nodes', host);
}

/** The path of the file of a node that was declared lost. */
export function lostNodePath(queueDirectory: string, host: string): string {
  return `${nodePath(queueDirectory, host)}${LOST_SUFFIX}`;
}

/**
 * Returns an opaque value that changes with each heartbeat of a node; 'none' if the node has no file. The attributes
 * that an NFS client has cached can be a minute old; `isFresh` opens the file, which makes the client ask the server.
 */
export function heartbeatStamp(queueDirectory: string, host: string, isFresh: boolean): string {
  const path = nodePath(queueDirectory, host);
  try {
    const { ino, mtimeNs } = isFresh ? freshStat(path) : lstatSync(path, { bigint: true });
    return `${ino}:${mtimeNs}`;
  } catch (error) {
    // ELOOP: no feeder makes a link.
    if (['ENOENT', 'ELOOP'].includes(errorCode(error) ?? '')) return 'none';
    throw error;
  }
}

/** Renames the file of a node that was declared lost. A node that is still alive notices this at its next heartbeat. */
export function markLost(queueDirectory: string, host: string): void {
  try {
    renameSync(nodePath(queueDirectory, host), lostNodePath(queueDirectory, host));
  } catch (error) {
    // The file is missing or belongs to another user. The jobs are in the database, so nothing depends on it.
    if (errorCode(error) === undefined) throw error;
  }
}

function freshStat(path: string): { ino: bigint; mtimeNs: bigint } {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return withOpenFile(path, flags, (file) => fstatSync(file, { bigint: true }));
}
