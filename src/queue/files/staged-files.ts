import { randomUUID } from 'node:crypto';
import { closeSync, openSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import type { Queue } from '../open.ts';
import { cleanUpAtSignal } from './clean-up-at-signal.ts';
import { copyData, copyError, copyFile } from './file-copies.ts';
import { tryLink } from './hard-links.ts';
import { removePaths, removeRenamed } from './remove-paths.ts';
import {
  FILE_KINDS,
  type FileKind,
  type FileOwner,
  filesByKind,
  hasFiles,
  type JobFiles,
  linkName,
  NO_FILES,
} from './stored-names.ts';
import { temporaryName } from './temporary-names.ts';

/** The use of staged files by a committed transaction. Names are relative to the queue. */
export interface FileChange {
  /** The number of staged sources that became files of jobs; these are the first ones. */
  readonly used: number;
  /** The jobs that own them; null for a kind that did not change. */
  readonly owners: readonly FileOwner[];
  /** Names of files that the rows of these jobs referred to before. */
  readonly replaced: readonly string[];
}

/**
 * Copies the sources (absolute paths) into the queue before a transaction, and hands their names to it, in the order of the
 * sources. If the transaction commits, links `stdin/JID`, `data/JID` and `script/JID` to them and removes the files that they
 * replace; if it fails, removes the copies. If its outcome is unknown, the sweep decides once this process has ended.
 * Throws INVALID_INPUT if a source cannot be read, NO_SPACE or IO if the queue cannot be written.
 */
export async function withStagedFiles<Change extends FileChange>(
  queue: Queue,
  sources: Iterable<JobFiles>,
  commit: (names: readonly JobFiles[]) => Promise<Change>,
): Promise<Change> {
  const { directory } = queue;
  const staged = new StagedFiles(queue);
  let used = 0;
  try {
    await cleanUpAtSignal(
      () => staged.discard(),
      () => staged.addAll(sources),
    );
    crashAt('files-staged');
    const change = await commit(staged.names);
    used = change.used;
    await removePaths(change.replaced.map((name) => join(directory, name)));
    linkFiles(directory, change.owners);
    crashAt('files-linked');
    await staged.clear(used);
    return change;
  } catch (error) {
    if (!(error instanceof RqError && error.code === 'OUTCOME_UNKNOWN')) await staged.clear(used);
    throw error;
  }
}

/**
 * The files `ID.N` of one call. A hidden marker with the same id exists before the first of them and until rows refer
 * to the ones that are used. Its name identifies the process, so that the sweep finds the files of a killed one.
 */
class StagedFiles {
  readonly names: JobFiles[] = [];
  private readonly directory: string;
  private readonly id = randomUUID();
  private readonly marker: string;
  private count = 0;
  /** The copies of stdin and scripts by their sources; jobs with the same source get a hard link to the copy. */
  private readonly copies = new Map<string, string>();

  constructor(private readonly queue: Queue) {
    this.directory = queue.directory;
    this.marker = join(this.directory, 'stdin', temporaryName(this.id));
  }

  async addAll(sources: Iterable<JobFiles>): Promise<void> {
    for (const source of sources) {
      if (hasFiles(source)) await this.add(source);
      else this.names.push(NO_FILES);
    }
  }

  /** Removes all files and the marker, while they may still be written. */
  async discard(): Promise<void> {
    for (const path of this.pathsFrom(0)) await removeRenamed(path);
    await removePaths([this.marker]);
  }

  private async add(sources: JobFiles): Promise<void> {
    // Listed before they are complete, so that they are removed after a failure.
    const files = filesByKind((kind) => this.newName(kind, sources[kind]));
    this.names.push(files);
    for (const kind of FILE_KINDS) {
      const [source, name] = [sources[kind], files[kind]];
      if (source === null || name === null) continue;
      if (kind === 'data') await copyData(this.queue, source, join(this.directory, name));
      else await this.addFile(kind, source, join(this.directory, name));
    }
    crashAt('file-staged');
  }

  /** Removes the files from an index on, then the marker. */
  async clear(from: number): Promise<void> {
    if (this.count === 0) return;
    await removePaths(this.pathsFrom(from));
    await removePaths([this.marker]);
  }

  private pathsFrom(from: number): string[] {
    const names = this.names.slice(from).flatMap((files) => FILE_KINDS.map((kind) => files[kind]));
    return names.filter((name) => name !== null).map((name) => join(this.directory, name));
  }

  private newName(kind: FileKind, source: string | null): string | null {
    if (source === null) return null;
    if (this.count === 0) this.makeMarker(kind, source);
    this.count += 1;
    return `${kind}/${this.id}.${this.count}`;
  }

  private makeMarker(kind: FileKind, source: string): void {
    try {
      closeSync(openSync(this.marker, 'wx'));
    } catch (error) {
      throw copyError(kind, source, error);
    }
  }

  private async addFile(kind: FileKind, source: string, target: string): Promise<void> {
    const key = `${kind}:${source}`;
    const copy = this.copies.get(key);
    try {
      if (copy !== undefined && tryLink(copy, target)) return;
    } catch (error) {
      throw copyError(kind, source, error);
    }
    await copyFile(this.queue, kind, copy ?? source, target);
    // The number of links to one copy is limited (EMLINK).
    this.copies.set(key, target);
  }
}

/** Makes the links for scripts. No job depends on them. */
function linkFiles(directory: string, owners: readonly FileOwner[]): void {
  for (const owner of owners) {
    for (const kind of FILE_KINDS) {
      const name = owner[kind];
      if (name === null) continue;
      try {
        symlinkSync(basename(name), join(directory, linkName(kind, owner.jid)));
      } catch (error) {
        if (errorCode(error) === undefined) throw error;
      }
    }
  }
}
