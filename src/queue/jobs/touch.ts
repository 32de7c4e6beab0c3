import { RqError } from '../../job/errors.ts';
import type { Job, Submission } from '../../job/job.ts';
import type { JidRange } from '../../job/selection.ts';
import { pendingJobsByCommand, updateJob } from '../../store/changes.ts';
import { ShapeIds } from '../../store/claim/shapes.ts';
import { setGate } from '../../store/dependencies/gates.ts';
import { DependencyResolver } from '../../store/dependencies/resolver.ts';
import { workOffDecisions } from '../../store/dependencies/work-off.ts';
import { ALONE, insertJob, lastJid } from '../../store/submissions.ts';
import { type FileChange, withStagedFiles } from '../files/staged-files.ts';
import { FILE_KINDS, type FileOwner, hasFiles, NO_FILES, namesOfKind } from '../files/stored-names.ts';
import type { Queue } from '../open.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';
import { type Batch, ownSubmitter, refuseTooMany } from './submit.ts';

const REFRESH_EVERY = 1_000;

/**
 * As `submitJobs`, but where a pending job has the same command and tag, that job gets the fields of the submission and
 * keeps its jid and its place. Of submissions with the same command and tag, the last one counts. Returns the jids,
 * ascending.
 */
export async function touchJobs(queue: Queue, submissions: readonly Submission[]): Promise<JidRange[]> {
  if (submissions.length === 0) throw new RqError('INVALID_INPUT', 'cannot touch: the input contains no jobs');
  const distinct = [...new Map(submissions.map((submission) => [keyOf(submission), submission])).values()];
  const submitter = ownSubmitter();
  const { jids } = await withStagedFiles(queue, distinct, (names) =>
    transaction(queue, (run) => touchAll(run, queue, { submissions: distinct, names, submitter })),
  );
  return jids.sort((a, b) => a - b).map((jid) => ({ first: jid, last: jid }));
}

function touchAll(
  run: Transaction,
  queue: Queue,
  { submissions, names, submitter }: Batch & { readonly submissions: readonly Submission[] },
): FileChange & { jids: number[] } {
  const pending = pendingJobs(run, submissions);
  const by = { ...submitter, submitted: queue.clock.now() };
  const shapes = new ShapeIds(run.connection);
  const owners: FileOwner[] = [];
  const replaced: string[] = [];
  const known = lastJid(run.connection);
  let next = known + 1;
  const { directory } = queue;
  const dependencies = new DependencyResolver(run.connection, { action: 'cannot touch', directory, known });
  refuseTooMany(run, next - 1, submissions.length);
  const jids = submissions.map((submission, index) => {
    if (index % REFRESH_EVERY === 0) run.refresh();
    const files = names[index] ?? NO_FILES;
    const job = pending.get(keyOf(submission));
    const jid = job?.jid ?? next++;
    if (hasFiles(files)) owners.push({ jid, ...files });
    if (job === undefined) {
      const shape = shapes.of({ ...submission, owner: submitter.owner }, null);
      const gate = dependencies.gateOf(submission.after, { jid, index: ALONE.index });
      insertJob(run.connection, jid, { ...submission, ...files }, by, { ...ALONE, shape, gate });
    } else {
      replaced.push(...FILE_KINDS.flatMap((kind) => namesOfKind(kind, job)));
      // Jobs that were submitted since then do not match the same dependencies again.
      if (job.after !== submission.after) setGate(run.connection, jid, dependencies.gateOf(submission.after, job));
      updateJob(run.connection, jid, { ...submission, ...files, state: submission.stage ? 'holding' : 'pending' });
    }
    return jid;
  });
  dependencies.finish();
  workOffDecisions(run.connection, by.submitted);
  return { jids, used: submissions.length, owners, replaced };
}

function pendingJobs(run: Transaction, submissions: readonly Submission[]): Map<string, Job> {
  const commands = new Map<string | null, Set<string>>();
  for (const { tag, command } of submissions) commands.set(tag, (commands.get(tag) ?? new Set()).add(command));
  const pending = new Map<string, Job>();
  for (const [tag, wanted] of commands) {
    for (const job of pendingJobsByCommand(run.connection, tag, wanted).values()) pending.set(keyOf(job), job);
  }
  return pending;
}

function keyOf({ tag, command }: { readonly tag: string | null; readonly command: string }): string {
  return JSON.stringify([tag, command]);
}
