import { RqError } from '../../job/errors.ts';
import type { Submission } from '../../job/job.ts';
import type { JidRange } from '../../job/selection.ts';
import { pendingJobsByCommand, updateJob } from '../../store/changes.ts';
import { insertJob, lastJid } from '../../store/submissions.ts';
import { StagedFiles } from '../files/job-files.ts';
import { removePaths } from '../files/remove-paths.ts';
import { type FileOwner, storedPath } from '../files/stored-files.ts';
import type { Queue } from '../open.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';
import { refuseTooMany, submitterNow } from './submit.ts';

/** Jids of the jobs, in the order of the submissions, and the files that no job has any more. */
interface Touched {
  readonly jids: number[];
  readonly outdated: readonly string[];
}

/**
 * As `submitJobs`, but a pending job with the same command and tag becomes what was submitted, and keeps its jid and its
 * place, in place of a second one. Gives the jids, ascending and each once.
 */
export async function touchJobs(queue: Queue, submissions: readonly Submission[]): Promise<JidRange[]> {
  if (submissions.length === 0) throw new RqError('INVALID_INPUT', 'cannot touch: there is no job in what was given');
  // Of several with one command and tag the last one counts.
  const distinct = [...new Map(submissions.map((submission) => [keyOf(submission), submission])).values()];
  const files = await StagedFiles.stage(queue.directory, distinct);
  try {
    const { jids, outdated } = await transaction(queue, (run) => touchAll(run, queue, distinct, files));
    await removePaths(outdated);
    return jids.sort((a, b) => a - b).map((jid) => ({ first: jid, last: jid }));
  } catch (error) {
    if (!(error instanceof RqError && error.code === 'OUTCOME_UNKNOWN')) files.takeBack();
    throw error;
  } finally {
    await files.clear();
  }
}

function touchAll(run: Transaction, queue: Queue, submissions: readonly Submission[], files: StagedFiles): Touched {
  files.takeBack();
  const known = knownJobs(run, submissions);
  const outdated: string[] = [];
  const by = submitterNow(queue.clock);
  let next = lastJid(run.connection) + 1;
  refuseTooMany(run, next - 1, submissions.length);
  const jids = submissions.map((submission, index) => {
    if (index % 1_000 === 0) run.refresh();
    const job = known.get(keyOf(submission));
    if (job === undefined) {
      const jid = next++;
      insertJob(run.connection, jid, { ...submission, ...files.place(submission, jid) }, by);
      return jid;
    }
    for (const kind of ['stdin', 'data'] as const) {
      if (job[kind] !== null) outdated.push(storedPath(queue.directory, kind, job));
    }
    const fields = { ...submission, ...files.replace(submission, job.jid) };
    updateJob(run.connection, job.jid, { ...fields, state: submission.stage ? 'holding' : 'pending' });
    return job.jid;
  });
  return { jids, outdated };
}

function knownJobs(run: Transaction, submissions: readonly Submission[]): Map<string, FileOwner> {
  const commands = new Map<string | null, Set<string>>();
  for (const { tag, command } of submissions) commands.set(tag, (commands.get(tag) ?? new Set()).add(command));
  const known = new Map<string, FileOwner>();
  for (const [tag, wanted] of commands) {
    for (const job of pendingJobsByCommand(run.connection, tag, wanted).values()) known.set(keyOf(job), job);
  }
  return known;
}

function keyOf({ tag, command }: { readonly tag: string | null; readonly command: string }): string {
  return JSON.stringify([tag, command]);
}
