import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../job/errors.ts';

/** Who else can write to a part of a queue, and so run commands as who feeds from it. */
export interface OtherWriter {
  readonly path: string;
  readonly who: 'anybody' | 'its group' | 'another user';
  readonly why: string;
  readonly advice: string;
}

/** All who can write to a queue, its database and its programs, beside this user and root. */
export function otherWriters(queueDirectory: string): OtherWriter[] {
  return [queueDirectory, join(queueDirectory, 'db'), join(queueDirectory, 'bin')].flatMap((path): OtherWriter[] => {
    const { mode, uid } = statSync(path);
    const isOthers = uid !== process.getuid?.() && uid !== 0;
    const trusted = { path, advice: 'use --trust-group' };
    return [
      ...((mode & 0o002) === 0
        ? []
        : [{ path, who: 'anybody', why: 'anybody can write to it', advice: `chmod o-w ${path}` } as const]),
      ...((mode & 0o020) === 0 ? [] : [{ ...trusted, who: 'its group', why: 'its group can write to it' } as const]),
      ...(isOthers ? [{ ...trusted, who: 'another user', why: 'it belongs to another user' } as const] : []),
    ];
  });
}

/**
 * Refuses a queue that others can write to, for they could run commands as this user: QUEUE_UNSAFE. With `trustGroup`
 * the group may; the world never.
 */
export function refuseUntrusted(queueDirectory: string, trustGroup: boolean): void {
  refuseLink(queueDirectory);
  const untrusted = otherWriters(queueDirectory).find(({ who }) => who === 'anybody' || !trustGroup);
  if (untrusted === undefined) return;
  const { path, why, advice } = untrusted;
  throw new RqError(
    'QUEUE_UNSAFE',
    `cannot feed from ${path}: ${why}, and so could run commands as you; if that is meant, ${advice}`,
  );
}

/** By another name the database would have another lease; and to open a pipe is to wait. */
function refuseLink(queueDirectory: string): void {
  const database = join(queueDirectory, 'db');
  if (lstatSync(database).isFile()) return;
  const message = `cannot feed from ${database}: it is a link or a device; put the file itself there`;
  throw new RqError('QUEUE_UNSAFE', message);
}
