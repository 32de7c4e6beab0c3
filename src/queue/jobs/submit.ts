import { RqError } from '../../job/errors.ts';
import { hostName, userName } from '../../job/host.ts';
import type { Submission } from '../../job/job.ts';
import { MAX_JOBS } from '../../job/limits.ts';
import type { JidRange } from '../../job/selection.ts';
import { ShapeIds } from '../../store/claim/shapes.ts';
import { ALONE, countJobs, insertJob, lastJid } from '../../store/submissions.ts';
import { type FileChange, withStagedFiles } from '../files/staged-files.ts';
import { type FileOwner, hasFiles, type JobFiles, NO_FILES } from '../files/stored-names.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

const REFRESH_EVERY = 1_000;

/**
 * Adds jobs, all or none, with consecutive jids in their order. Their stdin and data are copied into the queue first.
 * Throws INVALID_INPUT for no jobs or too many, and what `transaction` throws.
 */
export async function submitJobs(
  queue: Queue,
  submissions: readonly Submission[],
  progress?: Progress,
): Promise<JidRange> {
  if (submissions.length === 0) throw new RqError('INVALID_INPUT', 'cannot submit: the input contains no jobs');
  const submitter = ownSubmitter();
  const { range } = await withStagedFiles(queue, submissions, (names) =>
    transaction(queue, (run) => insertAll(run, queue, { submissions, names, submitter }, progress)),
  );
  return range;
}

/** Submissions with the names of their files in the queue. */
export interface Batch {
  readonly submissions: readonly Submission[];
  readonly names: readonly JobFiles[];
  readonly submitter: Submitter;
}

function insertAll(
  run: Transaction,
  queue: Queue,
  { submissions, names, submitter }: Batch,
  progress?: Progress,
): FileChange & { range: JidRange } {
  const last = lastJid(run.connection);
  refuseTooMany(run, last, submissions.length);
  const by = { ...submitter, submitted: queue.clock.now() };
  const shapes = new ShapeIds(run.connection);
  const owners: FileOwner[] = [];
  submissions.forEach((submission, index) => {
    const jid = last + index + 1;
    const files = names[index] ?? NO_FILES;
    const shape = shapes.of({ ...submission, owner: submitter.owner }, null);
    insertJob(run.connection, jid, hasFiles(files) ? { ...submission, ...files } : submission, by, { ...ALONE, shape });
    if (hasFiles(files)) owners.push({ jid, ...files });
    if (index % REFRESH_EVERY !== 0) return;
    run.refresh();
    progress?.(index, submissions.length);
  });
  const range = { first: last + 1, last: last + submissions.length };
  return { range, used: submissions.length, owners, replaced: [] };
}

/** Throws INVALID_INPUT for more jobs than a queue may hold. */
export function refuseTooMany({ connection }: Transaction, last: number, added: number): void {
  // A queue never has more jobs than its last jid, so that they seldom have to be counted.
  if (last + added <= MAX_JOBS || countJobs(connection) + added <= MAX_JOBS) return;
  throw new RqError(
    'INVALID_INPUT',
    `cannot submit ${added} jobs: a queue can contain at most ${MAX_JOBS} jobs; delete finished jobs first`,
  );
}

/** The fields that record who submits a job. */
export interface Submitter {
  readonly submitter: string;
  readonly owner: string;
}

/** Call it before a transaction: the name of the user may come from a server, such as LDAP. */
export function ownSubmitter(): Submitter {
  return { submitter: hostName(), owner: userName() };
}
