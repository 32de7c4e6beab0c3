import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The kinds of files that a submitter gives to a job. Each is a field of the job and a folder of the queue. */
export const FILE_KINDS = ['stdin', 'data', 'script'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** The paths of the files that a submitter gave to a job, relative to the queue; null if it has none. */
export type JobFiles = { readonly [Kind in FileKind]: string | null };

export const NO_FILES: JobFiles = { stdin: null, data: null, script: null };

/** One value for each kind of file. */
export function filesByKind<Value>(of: (kind: FileKind) => Value): { readonly [Kind in FileKind]: Value } {
  return { stdin: of('stdin'), data: of('data'), script: of('script') };
}

export function isFileKind(name: string): name is FileKind {
  return (FILE_KINDS as readonly string[]).includes(name);
}

export function hasFiles(files: JobFiles): boolean {
  return FILE_KINDS.some((kind) => files[kind] !== null);
}

/** The fields of a job that name its files. */
export interface FileOwner extends JobFiles {
  readonly jid: number;
}

/** The file `ID.N` was staged by the call with that id. Earlier versions of rq used `JID` and `JID.TOKEN`. */
const STAGED = /^(?:stdin|data|script)\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d+$/;
const NAMED_BY_JID = /^(?:stdin|stdout|stderr|data|script)\/(?<jid>\d+)(?:\.[0-9a-f]{1,32})?$/;

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

/** The absolute path of a file of a job. Ignores any other path in the row, which may be hostile. */
export function storedPath(queueDirectory: string, kind: FileKind, owner: FileOwner): string {
  return join(queueDirectory, storedName(kind, owner));
}

/** The names of a file of a job: the file that its row names, and the link `stdin/JID`, `data/JID` or `script/JID`. */
export function namesOfKind(kind: FileKind, owner: FileOwner): string[] {
  return owner[kind] === null ? [] : [...new Set([storedName(kind, owner), linkName(kind, owner.jid)])];
}

/** The names of the files that belong to a job, whether they exist or not. */
export function namesOfJob(owner: FileOwner): string[] {
  const { jid } = owner;
  return [`stdout/${jid}`, `stderr/${jid}`, ...FILE_KINDS.flatMap((kind) => namesOfKind(kind, owner))];
}

/** As `namesOfJob`, with the names under which a submit of an earlier version may have left files for this jid. */
export function allNamesOfJob(owner: FileOwner): Set<string> {
  const { jid } = owner;
  return new Set([...namesOfJob(owner), ...FILE_KINDS.map((kind) => linkName(kind, jid))]);
}

/** The folders of the files of jobs. */
export const JOB_FOLDERS = ['stdout', 'stderr', ...FILE_KINDS] as const;

/** The files of all jobs, relative to the queue. Listing the folders is faster than a lookup of each file. */
export function listJobFiles(queueDirectory: string): Set<string> {
  return new Set(JOB_FOLDERS.flatMap((folder) => namesInFolder(queueDirectory, folder)));
}

/** The files in a folder, relative to the queue. A queue of an earlier version has no folder `script`. */
export function namesInFolder(queueDirectory: string, folder: string): string[] {
  const path = join(queueDirectory, folder);
  return existsSync(path) ? readdirSync(path).map((name) => `${folder}/${name}`) : [];
}

/** The name of the link to a file of a job, for scripts. rq itself never reads through it. */
export function linkName(kind: FileKind, jid: number): string {
  return `${kind}/${jid}`;
}

function storedName(kind: FileKind, owner: FileOwner): string {
  const name = owner[kind] ?? '';
  const isOwn = name.startsWith(`${kind}/`) && (isStagedName(name) || jidInName(name) === owner.jid);
  return isOwn ? name : linkName(kind, owner.jid);
}
