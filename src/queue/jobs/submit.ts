import { RqError } from '../../job/errors.ts';
import { hostName, userName } from '../../job/host.ts';
import type { ArrayLimits, Submission } from '../../job/job.ts';
import { MAX_JOBS } from '../../job/limits.ts';
import type { JidRange } from '../../job/selection.ts';
import { addArray } from '../../store/arrays.ts';
import { ShapeIds } from '../../store/claim/shapes.ts';
import { DependencyResolver } from '../../store/dependencies/resolver.ts';
import { workOffDecisions } from '../../store/dependencies/work-off.ts';
import { ALONE, countJobs, insertJob, lastJid } from '../../store/submissions.ts';
import { type FileChange, withStagedFiles } from '../files/staged-files.ts';
import { type FileOwner, hasFiles, type JobFiles, NO_FILES } from '../files/stored-names.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

const REFRESH_EVERY = 1_000;

/** Jobs to submit. They may be made while they are iterated. */
export type SubmissionList = Iterable<Submission> & { readonly length: number };

/**
 * Adds jobs, all or none, with consecutive jids in their order. Their stdin and data are copied into the queue first.
 * With `array`, they are the tasks of one array, all with the same files. Throws INVALID_INPUT for no jobs or too many, and
 * what `transaction` throws.
 */
export async function submitJobs(
  queue: Queue,
  submissions: SubmissionList,
  progress?: Progress,
  array?: ArrayLimits,
): Promise<Submitted> {
  if (submissions.length === 0) throw new RqError('INVALID_INPUT', 'cannot submit: the input contains no jobs');
  const submitter = ownSubmitter();
  const { range, deathReason } = await withStagedFiles(queue, sourcesOf(submissions, array), (names) =>
    transaction(queue, (run) => insertAll(run, queue, { submissions, names, submitter, array }, progress)),
  );
  return { ...range, deathReason };
}

/** The jids of new jobs. */
export interface Submitted extends JidRange {
  /** Why the first of those that are dead is dead: a dependency can no longer be met. */
  readonly deathReason: string | undefined;
}

/** Submissions with the names of their files in the queue. */
export interface Batch {
  readonly submissions: SubmissionList;
  readonly names: readonly JobFiles[];
  readonly submitter: Submitter;
  readonly array?: ArrayLimits | undefined;
}

/** The files of each job. Most arrays have none, and their tasks need not be made to find that out. */
function sourcesOf(submissions: SubmissionList, array: ArrayLimits | undefined): Iterable<JobFiles> {
  const [first = NO_FILES] = submissions;
  return array !== undefined && !hasFiles(first) ? [] : submissions;
}

function insertAll(
  run: Transaction,
  queue: Queue,
  { submissions, names, submitter, array }: Batch,
  progress?: Progress,
): FileChange & { range: JidRange; deathReason: string | undefined } {
  const last = lastJid(run.connection);
  refuseTooMany(run, last, submissions.length);
  const by = { ...submitter, submitted: queue.clock.now() };
  const shapes = new ShapeIds(run.connection);
  const { directory } = queue;
  const dependencies = new DependencyResolver(run.connection, { action: 'cannot submit', directory, known: last });
  const first = last + 1;
  if (array !== undefined) addArray(run.connection, first, submissions.length, array);
  const limited = array === undefined ? null : { jid: first, atMost: array.atMost, canStop: array.maxFails !== null };
  const owners: FileOwner[] = [];
  let shape: number | undefined;
  let index = 0;
  for (const submission of submissions) {
    const jid = first + index;
    const files = names[index] ?? NO_FILES;
    // All tasks of an array request the same.
    if (shape === undefined || array === undefined)
      shape = shapes.of({ ...submission, owner: submitter.owner }, limited);
    const { index: own = null, for: values = null } = submission;
    const task = array === undefined ? undefined : { array: first, index: own, for: values };
    const place = { ...ALONE, ...task, shape };
    const gate = dependencies.gateOf(submission.after, { jid, index: place.index });
    const fields = hasFiles(files) ? { ...submission, ...files } : submission;
    insertJob(run.connection, jid, fields, by, gate === null ? place : { ...place, gate });
    if (hasFiles(files)) owners.push({ jid, ...files });
    if (index % REFRESH_EVERY === 0) {
      run.refresh();
      progress?.(index, submissions.length);
    }
    index += 1;
  }
  dependencies.finish();
  if (dependencies.deathReason !== undefined) workOffDecisions(run.connection, by.submitted);
  const range = { first, last: last + submissions.length };
  return { range, deathReason: dependencies.deathReason, used: submissions.length, owners, replaced: [] };
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
