import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../../job/errors.ts';
import type { JobChange } from '../jobs/job-change.ts';
import { copyData, copyStdin } from './file-copies.ts';
import { linkOrCopy } from './job-files.ts';
import { removePaths } from './remove-paths.ts';
import { type FileOwner, replacementName, storedPath } from './stored-files.ts';

/**
 * New stdin and data of jobs that have some: each is put beside the old one under a name of its own, and the row says
 * which counts. So a change that is killed at any point leaves each job with the old ones or with the new ones.
 */
export class ReplacedFiles {
  private readonly token = randomBytes(4).toString('hex');
  private readonly data = new Map<number, string>();
  private readonly placed = new Set<string>();
  /** Those of the placed that are of jobs that this run of the transaction changes. */
  private readonly used = new Set<string>();
  private readonly outdated = new Set<string>();
  private stdin: string | undefined;

  private constructor(
    private readonly directory: string,
    private readonly change: JobChange,
  ) {}

  /** Copies into the queue what the change names: stdin once, data for each of the jobs. Throws as `copyStdin`. */
  static async stage(directory: string, change: JobChange, jids: readonly number[]): Promise<ReplacedFiles> {
    const files = new ReplacedFiles(directory, change);
    try {
      if (typeof change.stdin === 'string') files.stdin = await copyStdin(directory, change.stdin);
      if (typeof change.data !== 'string') return files;
      for (const jid of jids) files.data.set(jid, await copyData(directory, change.data));
    } catch (error) {
      await files.clear(false);
      throw error;
    }
    return files;
  }

  /** To be called when the transaction begins, again too: other jobs may be in the selection, and others not any more. */
  begin(): void {
    this.outdated.clear();
    this.used.clear();
  }

  /** Gives a job its new files, inside a transaction that may be run again; gives what its row is to say of them. */
  place(owner: FileOwner): Pick<FileOwner, 'stdin' | 'data'> {
    return { stdin: this.placeStdin(owner), data: this.placeData(owner) };
  }

  /** Removes what no row names any more: the old files if the change was committed, the new ones if not. */
  async clear(isCommitted: boolean): Promise<void> {
    const copies = [...this.data.values(), ...(this.stdin === undefined ? [] : [this.stdin])];
    const unused = [...this.placed].filter((path) => !isCommitted || !this.used.has(path));
    await removePaths([...copies, ...unused, ...(isCommitted ? this.outdated : [])]);
  }

  private placeStdin(owner: FileOwner): string | null {
    if (this.change.stdin === undefined) return owner.stdin;
    if (owner.stdin !== null) this.outdated.add(storedPath(this.directory, 'stdin', owner));
    if (this.stdin === undefined) return null;
    const name = replacementName('stdin', owner.jid, this.token);
    const path = join(this.directory, name);
    this.used.add(path);
    if (!this.placed.has(path)) {
      rmSync(path, { force: true });
      linkOrCopy(this.stdin, path);
      this.placed.add(path);
    }
    return name;
  }

  private placeData(owner: FileOwner): string | null {
    if (this.change.data === undefined) return owner.data;
    if (owner.data !== null) this.outdated.add(storedPath(this.directory, 'data', owner));
    if (this.change.data === null) return null;
    const name = replacementName('data', owner.jid, this.token);
    const path = join(this.directory, name);
    this.used.add(path);
    if (this.placed.has(path)) return name;
    const copy = this.data.get(owner.jid);
    if (copy === undefined) {
      const message = `job ${owner.jid} came into the selection while data was copied: nothing was changed, try again`;
      throw new RqError('BUSY', message);
    }
    renameSync(copy, path);
    this.placed.add(path);
    return name;
  }
}
