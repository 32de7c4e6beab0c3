import { randomUUID } from 'node:crypto';
import { copyFileSync, createReadStream, createWriteStream, linkSync, renameSync, rmSync } from 'node:fs';
import { cp, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorCode, errorMessage, RqError } from '../job/errors.ts';
import type { Submission } from '../job/job.ts';

/** Stands for this process's own standard input, in `Submission.stdin`. */
export const STANDARD_INPUT = '-';

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
          ...(submission.stdin === null ? {} : { stdin: await files.copyStdin(submission.stdin) }),
          ...(submission.data === null ? {} : { data: await files.copyData(submission.data) }),
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
    try {
      linkSync(from, to);
    } catch (error) {
      // No hard links here: some file systems in user space have none.
      if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(errorCode(error) ?? '')) throw error;
      copyFileSync(from, to);
    }
    this.placed.push({ to });
  }

  private move(from: string, to: string): void {
    rmSync(to, { recursive: true, force: true });
    renameSync(from, to);
    this.placed.push({ to, from });
  }

  private async copyStdin(source: string): Promise<string> {
    const known = this.stdinCopies.get(source);
    if (known !== undefined) return known;
    const target = join(this.directory, 'stdin', `.${randomUUID()}`);
    this.stdinCopies.set(source, target);
    try {
      const input = source === STANDARD_INPUT ? process.stdin : createReadStream(source);
      await pipeline(input, createWriteStream(target, { flags: 'wx' }));
      const handle = await open(target);
      await handle.sync();
      await handle.close();
      return target;
    } catch (error) {
      throw copyError('stdin', source, error);
    }
  }

  private async copyData(source: string): Promise<string> {
    const target = join(this.directory, 'data', `.${randomUUID()}`);
    try {
      await stat(source);
      await cp(source, target, { recursive: true, errorOnExist: true, force: false, preserveTimestamps: true });
      return target;
    } catch (error) {
      await rm(target, { recursive: true, force: true });
      throw copyError('data', source, error);
    }
  }
}

function copyError(what: string, source: string, error: unknown): RqError {
  const code = errorCode(error);
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const advice = isFull ? 'the disk or your quota is full; make room and try again' : errorMessage(error);
  return new RqError(
    isFull ? 'NO_SPACE' : 'INVALID_INPUT',
    `cannot copy the ${what} ${source} into the queue: ${advice}`,
    {
      cause: error,
    },
  );
}

/** Removes the files of jobs that are deleted; what is not there is no error. Never a path that a row names. */
export async function removeJobFiles(directory: string, jids: readonly number[]): Promise<void> {
  const AT_ONCE = 16;
  const paths = jids.flatMap((jid) =>
    ['stdin', 'stdout', 'stderr', 'data'].map((kind) => join(directory, kind, `${jid}`)),
  );
  for (let index = 0; index < paths.length; index += AT_ONCE) {
    await Promise.all(paths.slice(index, index + AT_ONCE).map((path) => rm(path, { recursive: true, force: true })));
  }
}
