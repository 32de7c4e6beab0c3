import { userInfo } from 'node:os';
import { errorCode, RqError } from '../job/errors.ts';
import { hostName } from '../job/host.ts';
import type { Submission } from '../job/job.ts';
import { MAX_JOBS } from '../job/limits.ts';
import type { JidRange } from '../job/selection.ts';
import { countJobs, insertJob, lastJid } from '../store/submissions.ts';
import { StagedFiles } from './job-files.ts';
import type { Queue } from './open.ts';
import { type Transaction, transaction } from './transaction.ts';

const REFRESH_EVERY = 1_000;

/**
 * Adds jobs, all or none, with consecutive jids in their order. Their stdin and data are copied into the queue first.
 * Throws INVALID_INPUT for none or too many, and what `transaction` throws.
 */
export async function submitJobs(queue: Queue, submissions: readonly Submission[]): Promise<JidRange> {
  if (submissions.length === 0) throw new RqError('INVALID_INPUT', 'cannot submit: there is no job in what was given');
  const files = await StagedFiles.stage(queue.directory, submissions);
  try {
    return await transaction(queue, (run) => insertAll(run, queue, submissions, files));
  } catch (error) {
    if (!isOutcomeUnknown(error)) files.takeBack();
    throw error;
  } finally {
    await files.clear();
  }
}

function insertAll(run: Transaction, queue: Queue, submissions: readonly Submission[], files: StagedFiles): JidRange {
  files.takeBack();
  const last = lastJid(run.connection);
  refuseTooMany(run, last, submissions.length);
  const by = { submitted: queue.clock.now(), submitter: hostName(), owner: userName() };
  submissions.forEach((submission, index) => {
    const jid = last + index + 1;
    insertJob(run.connection, jid, submission, by);
    files.place(submission, jid);
    if (index % REFRESH_EVERY === 0) run.refresh();
  });
  return { first: last + 1, last: last + submissions.length };
}

function refuseTooMany({ connection }: Transaction, last: number, added: number): void {
  // Jids count up by one, so there are never more jobs than the last jid: mostly there is nothing to count.
  if (last + added <= MAX_JOBS || countJobs(connection) + added <= MAX_JOBS) return;
  throw new RqError(
    'INVALID_INPUT',
    `cannot submit ${added} jobs: a queue holds ${MAX_JOBS}; delete finished ones first`,
  );
}

/** The user's name, or the number where the host knows no name for it. */
function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (errorCode(error) !== 'ERR_SYSTEM_ERROR') throw error;
    return String(process.getuid?.());
  }
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof RqError && error.code === 'OUTCOME_UNKNOWN';
}
