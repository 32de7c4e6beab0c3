import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../job/errors.ts';

/**
 * Refuses a queue that others can write to, for they could run commands as this user: QUEUE_UNSAFE. With `trustGroup`
 * the group may; the world never.
 */
export function refuseUntrusted(queueDirectory: string, trustGroup: boolean): void {
  const database = join(queueDirectory, 'db');
  // By another name it would have another lease; and to open a pipe is to wait.
  if (!lstatSync(database).isFile()) throw strange(database);
  for (const path of [queueDirectory, database, join(queueDirectory, 'bin')]) {
    const { mode, uid } = statSync(path);
    const isOthers = uid !== process.getuid?.() && uid !== 0;
    if ((mode & 0o002) !== 0) throw unsafe(path, 'anybody can write to it', `chmod o-w ${path}`);
    if ((mode & 0o020) !== 0 && !trustGroup) throw unsafe(path, 'its group can write to it', 'use --trust-group');
    if (isOthers && !trustGroup) throw unsafe(path, 'it belongs to another user', 'use --trust-group');
  }
}

function strange(path: string): RqError {
  const message = `cannot feed from ${path}: it is a link or a device; put the file itself there`;
  return new RqError('QUEUE_UNSAFE', message);
}

function unsafe(path: string, why: string, what: string): RqError {
  return new RqError(
    'QUEUE_UNSAFE',
    `cannot feed from ${path}: ${why}, and so could run commands as you; if that is meant, ${what}`,
  );
}
