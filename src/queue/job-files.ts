import { randomBytes } from 'node:crypto';
import { copyFileSync, linkSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import type { Submission } from '../job/job.ts';
import { copyData, copyStdin } from './file-copies.ts';
import { replacementName } from './stored-files.ts';

/**
 * The stdin and data of jobs that are being submitted: copied into the queue under names that no job has, before the
 * transaction, and given their jobs' names inside it, so that a job that others can see has its files.
 */
export class StagedFiles {
  private readonly staged = new Map<Submission, { stdin?: string; data?: string }>();
  private readonly stdinCopies = new Map<string, string>();
  /** What was placed, and for what was moved there, whence. */
  private readonly placed: { to: string; from?: string }[] = [];
  private readonly directory: string;
  private readonly token = randomBytes(4).toString('hex');

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Copies; throws INVALID_INPUT where a source cannot be read, NO_SPACE or IO where the queue cannot be written. */
  static async stage(directory: string, submissions: readonly Submission[]): Promise<StagedFiles> {
    const files = new StagedFiles(directory);
    try {
      for (const submission of submissions) {
        if (submission.stdin === null && submission.data === null) continue;
        files.staged.set(submission, {
          ...(submission.stdin === null ? {} : { stdin: await files.stdinCopy(submission.stdin) }),
          ...(submission.data === null ? {} : { data: await copyData(directory, submission.data) }),
        });
      }
    } catch (error) {
      await files.clear();
      throw error;
    }
    return files;
  }

  /** Gives a job its files. One killed before the commit leaves them, and the next job of that jid replaces them. */
  place(submission: Submission, jid: number): void {
    const staged = this.staged.get(submission);
    if (staged?.stdin !== undefined) this.link(staged.stdin, join(this.directory, 'stdin', String(jid)));
    if (staged?.data !== undefined) this.move(staged.data, join(this.directory, 'data', String(jid)));
  }

  /**
   * Gives a job that waits already the files of a submission, beside its own, and tells what its row is to say of them;
   * which ones count is so decided by the transaction.
   */
  replace(submission: Submission, jid: number): { stdin: string | null; data: string | null } {
    const staged = this.staged.get(submission);
    const stdin = staged?.stdin === undefined ? null : replacementName('stdin', jid, this.token);
    const data = staged?.data === undefined ? null : replacementName('data', jid, this.token);
    if (staged?.stdin !== undefined && stdin !== null) this.link(staged.stdin, join(this.directory, stdin));
    if (staged?.data !== undefined && data !== null) this.move(staged.data, join(this.directory, data));
    return { stdin, data };
  }

  /** Takes back what was placed, for a transaction that is run again or failed. */
  takeBack(): void {
    for (const { to, from } of this.placed.splice(0)) {
      if (from === undefined) rmSync(to, { force: true });
      else renameSync(to, from);
    }
  }

  /** Removes the staged copies. */
  async clear(): Promise<void> {
    for (const path of this.stdinCopies.values()) await rm(path, { force: true });
    for (const { data } of this.staged.values())
      if (data !== undefined) await rm(data, { recursive: true, force: true });
  }

  private link(from: string, to: string): void {
    rmSync(to, { recursive: true, force: true });
    linkOrCopy(from, to);
    this.placed.push({ to });
  }

  private move(from: string, to: string): void {
    rmSync(to, { recursive: true, force: true });
    renameSync(from, to);
    this.placed.push({ to, from });
  }

  private async stdinCopy(source: string): Promise<string> {
    const known = this.stdinCopies.get(source);
    if (known !== undefined) return known;
    const target = await copyStdin(this.directory, source);
    this.stdinCopies.set(source, target);
    return target;
  }
}

/** Gives a file a second name, or copies it where there are no hard links: some file systems in user space have none. */
export function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(errorCode(error) ?? '')) throw error;
    copyFileSync(from, to);
  }
}
