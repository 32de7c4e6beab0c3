import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../job/errors.ts';
import { ownerForRoot } from '../lease/owner.ts';
import { lockProblem, mountOf } from '../queue/mount.ts';
import type { Queue } from '../queue/open.ts';

/** Somebody else who can write to a part of a queue, and can therefore run commands as every user who feeds from it. */
export interface OtherWriter {
  readonly path: string;
  readonly who: 'anyone' | 'its group' | 'another user';
  readonly why: string;
  readonly advice: string;
}

/** Lists who can write to a queue, its database and its programs, other than this user and root. */
export function otherWriters(queueDirectory: string): OtherWriter[] {
  return [queueDirectory, join(queueDirectory, 'db'), join(queueDirectory, 'bin')].flatMap((path): OtherWriter[] => {
    const { mode, uid } = statSync(path);
    const writers: OtherWriter[] = [];
    const advice = 'if you trust these users, use --trust-group';
    if ((mode & 0o002) !== 0) {
      writers.push({ path, who: 'anyone', why: 'anyone can write to this path', advice: `run: chmod o-w ${path}` });
    }
    if ((mode & 0o020) !== 0) writers.push({ path, who: 'its group', why: 'its group can write to this path', advice });
    if (uid !== process.getuid?.() && uid !== 0) {
      writers.push({ path, who: 'another user', why: 'this path belongs to another user', advice });
    }
    return writers;
  });
}

/**
 * Throws QUEUE_UNSAFE for a queue that others can write to. `trustGroup` permits the group and another owner, but never
 * everybody.
 */
export function refuseUntrusted(queueDirectory: string, trustGroup: boolean): void {
  refuseLinkedDatabase(queueDirectory);
  const untrusted = otherWriters(queueDirectory).find(({ who }) => who === 'anyone' || !trustGroup);
  if (untrusted === undefined) return;
  const { path, why, advice } = untrusted;
  throw new RqError(
    'QUEUE_UNSAFE',
    `cannot feed from ${path}: ${why}, so other users could run commands as you; ${advice}`,
  );
}

/** What it means that root feeds from the queue of another user; undefined if that is not the case. */
export function rootWarning(queueDirectory: string): string | undefined {
  const owner = ownerForRoot(statSync(queueDirectory));
  if (owner === undefined) return undefined;
  return `root feeds from ${queueDirectory}, which belongs to uid ${owner.uid}: the jobs run as root, their output belongs to root, and whoever can write to the queue can run commands as root; to prevent this, feed as the owner`;
}

/** A link to the database would have a lease of its own, and opening a pipe would wait for a writer. */
function refuseLinkedDatabase(queueDirectory: string): void {
  const database = join(queueDirectory, 'db');
  if (lstatSync(database).isFile()) return;
  throw new RqError(
    'QUEUE_UNSAFE',
    `cannot feed from ${database}: the path is not a regular file; move the database itself to this path`,
  );
}

/** Throws QUEUE_UNSAFE if POSIX locks do not work between hosts on the queue's mount, unless the queue needs none. */
export function refuseWithoutLocks(queue: Queue): void {
  if (queue.locking === 'lease') return;
  const problem = lockProblem(mountOf(queue.directory));
  if (problem === undefined) return;
  throw new RqError(
    'QUEUE_UNSAFE',
    `cannot feed from ${queue.directory} here: ${problem}; or use a queue created with --locking lease (see docs/nfs.md)`,
  );
}
