import type { Clock } from '../../job/clock.ts';
import { crashAt } from '../../job/crash-points.ts';
import { RqError } from '../../job/errors.ts';
import { hostName, userName } from '../../job/host.ts';
import type { Submission } from '../../job/job.ts';
import { MAX_JOBS } from '../../job/limits.ts';
import type { JidRange } from '../../job/selection.ts';
import { countJobs, insertJob, lastJid } from '../../store/submissions.ts';
import { StagedFiles } from '../files/job-files.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

const REFRESH_EVERY = 1_000;

/**
 * Adds jobs, all or none, with consecutive jids in their order. Their stdin and data are copied into the queue first.
 * Throws INVALID_INPUT for none or too many, and what `transaction` throws.
 */
export async function submitJobs(
  queue: Queue,
  submissions: readonly Submission[],
  progress?: Progress,
): Promise<JidRange> {
  if (submissions.length === 0) throw new RqError('INVALID_INPUT', 'cannot submit: there is no job in what was given');
  const files = await StagedFiles.stage(queue.directory, submissions);
  crashAt('files-copied');
  try {
    return await transaction(queue, (run) => insertAll(run, queue, { submissions, files, progress }));
  } catch (error) {
    if (!isOutcomeUnknown(error)) files.takeBack();
    throw error;
  } finally {
    await files.clear();
  }
}

interface Batch {
  readonly submissions: readonly Submission[];
  readonly files: StagedFiles;
  readonly progress: Progress | undefined;
}

function insertAll(run: Transaction, queue: Queue, { submissions, files, progress }: Batch): JidRange {
  files.takeBack();
  const last = lastJid(run.connection);
  refuseTooMany(run, last, submissions.length);
  const by = submitterNow(queue.clock);
  submissions.forEach((submission, index) => {
    const jid = last + index + 1;
    insertJob(run.connection, jid, { ...submission, ...files.place(submission, jid) }, by);
    if (index % REFRESH_EVERY !== 0) return;
    run.refresh();
    progress?.(index, submissions.length);
  });
  crashAt('files-placed');
  return { first: last + 1, last: last + submissions.length };
}

/** Throws INVALID_INPUT for more jobs than a queue may hold. */
export function refuseTooMany({ connection }: Transaction, last: number, added: number): void {
  // Jids count up by one, so there are never more jobs than the last jid: mostly there is nothing to count.
  if (last + added <= MAX_JOBS || countJobs(connection) + added <= MAX_JOBS) return;
  throw new RqError(
    'INVALID_INPUT',
    `cannot submit ${added} jobs: a queue holds ${MAX_JOBS}; delete finished ones first`,
  );
}

/** Who submits, and when. */
export function submitterNow(clock: Clock): { submitted: string; submitter: string; owner: string } {
  return { submitted: clock.now(), submitter: hostName(), owner: userName() };
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof RqError && error.code === 'OUTCOME_UNKNOWN';
}
