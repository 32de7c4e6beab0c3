import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../job/errors.ts';

/**
 * Refuses a queue that others can write to, for they could run commands as this user: QUEUE_UNSAFE. With `trustGroup`
 * the group may; the world never.
 */
export function refuseUntrusted(queueDirectory: string, trustGroup: boolean): void {
  for (const path of [queueDirectory, join(queueDirectory, 'db'), join(queueDirectory, 'bin')]) {
    const stats = lstatSync(path);
    const { mode, uid } = stats.isSymbolicLink() && path === queueDirectory ? statSync(path) : stats;
    if (path !== queueDirectory && !(stats.isFile() || stats.isDirectory())) throw strange(path);
    const isOthers = uid !== process.getuid?.() && uid !== 0;
    if ((mode & 0o002) !== 0) throw unsafe(path, 'anybody can write to it', `chmod o-w ${path}`);
    if ((mode & 0o020) !== 0 && !trustGroup) throw unsafe(path, 'its group can write to it', 'use --trust-group');
    if (isOthers && !trustGroup) throw unsafe(path, 'it belongs to another user', 'use --trust-group');
  }
}

function strange(path: string): RqError {
  const message = `cannot feed from ${path}: it is a link or a device, so that it may be anywhere; put the file itself there`;
  return new RqError('QUEUE_UNSAFE', message);
}

function unsafe(path: string, why: string, what: string): RqError {
  return new RqError(
    'QUEUE_UNSAFE',
    `cannot feed from ${path}: ${why}, and so could run commands as you; if that is meant, ${what}`,
  );
}
