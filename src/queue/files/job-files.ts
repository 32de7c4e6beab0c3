import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import type { Submission } from '../../job/job.ts';
import { copyData, copyStdin } from './file-copies.ts';
import { removePaths } from './remove-paths.ts';
import { type JobFiles, replacementName } from './stored-files.ts';

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

  /**
   * Gives a new job its files, and tells what its row is to say of them. A jid is free again after a rollback, so what
   * has its name already may be another's, who is about to commit or to take it back: that is left alone, and the file
   * is called otherwise.
   */
  place(submission: Submission, jid: number): JobFiles {
    return this.placeBoth(submission, jid, (kind) => [`${kind}/${jid}`, replacementName(kind, jid, this.token)]);
  }

  /**
   * Gives a job that waits already the files of a submission, beside its own, and tells what its row is to say of them;
   * which ones count is so decided by the transaction.
   */
  replace(submission: Submission, jid: number): JobFiles {
    // A second one for a server that was booted meanwhile, made the first, and does not know so any more.
    return this.placeBoth(submission, jid, (kind) =>
      [this.token, `${this.token}0`].map((token) => replacementName(kind, jid, token)),
    );
  }

  /** Takes back what was placed, for a transaction that is run again or failed. Nobody else touches what is there. */
  takeBack(): void {
    for (const { to, from } of this.placed.splice(0)) {
      if (from === undefined) rmSync(to, { force: true });
      else renameSync(to, from);
    }
  }

  /** Removes the staged copies. */
  async clear(): Promise<void> {
    const data = [...this.staged.values()].flatMap((staged) => staged.data ?? []);
    await removePaths([...this.stdinCopies.values(), ...data]);
  }

  private placeBoth(submission: Submission, jid: number, namesFor: (kind: 'stdin' | 'data') => string[]): JobFiles {
    const staged = this.staged.get(submission);
    const place = (kind: 'stdin' | 'data', from: string | undefined): string | null => {
      if (from === undefined) return null;
      const name = namesFor(kind).find((each) => this.placeAt(kind, from, join(this.directory, each)));
      if (name !== undefined) return name;
      throw new RqError('IO', `cannot place the ${kind} of job ${jid} in ${this.directory}: its names are taken`);
    };
    return { stdin: place('stdin', staged?.stdin), data: place('data', staged?.data) };
  }

  /** False where something is there. Stdin may be that of many jobs and is linked; data is moved. */
  private placeAt(kind: 'stdin' | 'data', from: string, to: string): boolean {
    try {
      if (kind === 'stdin') linkOrCopy(from, to);
      else moveTo(from, to);
      this.placed.push(kind === 'stdin' ? { to } : { to, from });
      return true;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      return false;
    }
  }

  private async stdinCopy(source: string): Promise<string> {
    const known = this.stdinCopies.get(source);
    if (known !== undefined) return known;
    const target = await copyStdin(this.directory, source);
    this.stdinCopies.set(source, target);
    return target;
  }
}

/** As rename, but throws EEXIST where something is there: makes an empty one of its kind first, and moves over that. */
function moveTo(from: string, to: string): void {
  if (lstatSync(from).isDirectory()) mkdirSync(to);
  else closeSync(openSync(to, 'wx'));
  try {
    renameSync(from, to);
  } catch (error) {
    rmSync(to, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Gives a file a second name, or copies it where there are no hard links: some file systems in user space have none.
 * Throws EEXIST where something has that name.
 */
export function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!hasNoLinks(error)) throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}

/** Whether an error of link(2) says that there are none between these two places. */
export function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(errorCode(error) ?? '');
}
