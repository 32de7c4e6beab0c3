import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The paths of a job's stdin and data, relative to the queue; null if it has none. */
export interface JobFiles {
  readonly stdin: string | null;
  readonly data: string | null;
}

export const NO_FILES: JobFiles = { stdin: null, data: null };

/** Whether a job has stdin or data. */
export function hasFiles({ stdin, data }: JobFiles): boolean {
  return stdin !== null || data !== null;
}

/** The fields of a job that name its files. */
export interface FileOwner extends JobFiles {
  readonly jid: number;
}

/** The file `ID.N` was staged by the call with that id. Earlier versions of rq used `JID` and `JID.TOKEN`. */
const STAGED = /^(?:stdin|data)\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d+$/;
const NAMED_BY_JID = /^(?:stdin|stdout|stderr|data)\/(?<jid>\d+)(?:\.[0-9a-f]{1,32})?$/;

/** Whether a path, relative to the queue, is the name of a staged file. Such a name is never used twice. */
export function isStagedName(name: string): boolean {
  return STAGED.test(name);
}

/** The jid in a name that earlier versions gave to a file of a job; undefined for any other name. */
export function jidInName(name: string): number | undefined {
  const jid = NAMED_BY_JID.exec(name)?.groups?.['jid'];
  return jid === undefined ? undefined : Number(jid);
}

/** Whether a path, relative to the queue, is one that rq gives to a file of a job. rq removes no other files. */
export function isJobFileName(name: string): boolean {
  return isStagedName(name) || jidInName(name) !== undefined;
}

/** The absolute path of a job's stdin or data. Ignores any other path in the row, which may be hostile. */
export function storedPath(queueDirectory: string, kind: 'stdin' | 'data', owner: FileOwner): string {
  return join(queueDirectory, storedName(kind, owner));
}

/** The names of a job's stdin or data: the file that its row names, and the link `stdin/JID` or `data/JID`. */
export function namesOfKind(kind: 'stdin' | 'data', owner: FileOwner): string[] {
  return owner[kind] === null ? [] : [...new Set([storedName(kind, owner), linkName(kind, owner.jid)])];
}

/** The names of the files that belong to a job, whether they exist or not. */
export function namesOfJob(owner: FileOwner): string[] {
  const { jid } = owner;
  return [`stdout/${jid}`, `stderr/${jid}`, ...namesOfKind('stdin', owner), ...namesOfKind('data', owner)];
}

/** As `namesOfJob`, with the names under which a submit of an earlier version may have left files for this jid. */
export function allNamesOfJob(owner: FileOwner): Set<string> {
  const { jid } = owner;
  return new Set([...namesOfJob(owner), linkName('stdin', jid), linkName('data', jid)]);
}

/** The files of all jobs, relative to the queue. Listing four folders is faster than a lookup of each file. */
export function listJobFiles(queueDirectory: string): Set<string> {
  const namesIn = (folder: string): string[] =>
    readdirSync(join(queueDirectory, folder)).map((name) => `${folder}/${name}`);
  return new Set(['stdin', 'stdout', 'stderr', 'data'].flatMap(namesIn));
}

/** The name of the link to a job's stdin or data, for scripts. rq itself never reads through it. */
export function linkName(kind: 'stdin' | 'data', jid: number): string {
  return `${kind}/${jid}`;
}

function storedName(kind: 'stdin' | 'data', owner: FileOwner): string {
  const name = owner[kind] ?? '';
  const isOwn = name.startsWith(`${kind}/`) && (isStagedName(name) || jidInName(name) === owner.jid);
  return isOwn ? name : linkName(kind, owner.jid);
}
