import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removePaths } from './remove-paths.ts';

/** Where a job's stdin and data are, relative to the queue; null if it has none. */
export interface JobFiles {
  readonly stdin: string | null;
  readonly data: string | null;
}

/** What of a job says where its files are. */
export interface FileOwner extends JobFiles {
  readonly jid: number;
}

const LIST_ABOVE = 400;

/**
 * A name for a job's new stdin or data, beside the one that it has: which of them is the job's is a matter of its row,
 * so that a transaction decides. Relative to the queue.
 */
export function replacementName(kind: 'stdin' | 'data', jid: number, token: string): string {
  return `${kind}/${jid}.${token}`;
}

/** Where a job's stdin or data lies, absolute. A row that names another place is not believed: it may be hostile. */
export function storedPath(queueDirectory: string, kind: 'stdin' | 'data', owner: FileOwner): string {
  return join(queueDirectory, storedName(kind, owner));
}

/** Removes the files of jobs that are deleted; what is not there is no error. Gives those that could not be removed. */
export async function removeJobFiles(queueDirectory: string, owners: readonly FileOwner[]): Promise<string[]> {
  const names = owners.flatMap((owner) => [...filesOf(owner)]);
  const present = names.length > LIST_ABOVE ? namesOfFiles(queueDirectory) : undefined;
  const found = present === undefined ? names : names.filter((name) => present.has(name));
  return await removePaths(found.map((name) => join(queueDirectory, name)));
}

/** The files of all jobs, relative to the queue. To list four folders is faster than to ask for each of many. */
export function namesOfFiles(queueDirectory: string): Set<string> {
  const namesIn = (folder: string): string[] =>
    readdirSync(join(queueDirectory, folder)).map((name) => `${folder}/${name}`);
  return new Set(['stdin', 'stdout', 'stderr', 'data'].flatMap(namesIn));
}

/** The names, relative to the queue, of the files that are a job's if they are there. */
export function ownFilesOf(owner: FileOwner): string[] {
  const { jid } = owner;
  const given = (['stdin', 'data'] as const).filter((kind) => owner[kind] !== null);
  return [`stdout/${jid}`, `stderr/${jid}`, ...given.map((kind) => storedName(kind, owner))];
}

/** The same, and what other submits that were to get its jid may have left under its name. */
export function filesOf(owner: FileOwner): Set<string> {
  const { jid } = owner;
  const names = ['stdin', 'stdout', 'stderr', 'data'].map((kind) => `${kind}/${jid}`);
  return new Set([...names, storedName('stdin', owner), storedName('data', owner)]);
}

function storedName(kind: 'stdin' | 'data', owner: FileOwner): string {
  const name = owner[kind] ?? '';
  const rest = name.slice(`${kind}/${owner.jid}`.length);
  const isOwn = name === `${kind}/${owner.jid}${rest}` && /^(?:\.[0-9a-f]{1,32})?$/.test(rest);
  return isOwn ? name : `${kind}/${owner.jid}`;
}
