import { lstatSync, readdirSync } from 'node:fs';
import type { Clock } from '../../job/clock.ts';
import { errorCode } from '../../job/errors.ts';

/** After this time without a change, the process that made a file counts as ended if it cannot be looked up. */
const MIN_AGE_MS = 7 * 86_400_000;
const SLASH = Buffer.from('/');

export function sevenDaysAgo(clock: Clock): number {
  return Date.parse(clock.now()) - MIN_AGE_MS;
}

/**
 * Whether files, and directories with everything in them, exist and have not changed since a time. Goes by the last
 * change of each inode, because copies have the modification times of their originals. False if something cannot be read.
 */
export function isUnchangedSince(sinceMs: number, paths: readonly string[]): boolean {
  try {
    return paths.every((path) => isOlder(Buffer.from(path), sinceMs));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

function isOlder(path: Buffer, sinceMs: number): boolean {
  const stats = lstatSync(path);
  if (stats.ctimeMs > sinceMs) return false;
  if (!stats.isDirectory()) return true;
  return readdirSync(path, { encoding: 'buffer' }).every((name) =>
    isOlder(Buffer.concat([path, SLASH, name]), sinceMs),
  );
}
