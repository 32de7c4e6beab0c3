import { RqError } from '../../job/errors.ts';
import type { Job, JobState } from '../../job/job.ts';
import { isSelectedByJid, type JidRange, type Selection } from '../../job/selection.ts';
import { nextState } from '../../job/transitions.ts';
import { resumeArrays } from '../../store/arrays.ts';
import { resubmitJob, updateJob } from '../../store/changes.ts';
import { selectPage } from '../../store/selections.ts';
import { type FileChange, withStagedFiles } from '../files/staged-files.ts';
import {
  FILE_KINDS,
  type FileOwner,
  filesByKind,
  hasFiles,
  type JobFiles,
  NO_FILES,
  namesOfKind,
} from '../files/stored-names.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';
import { ChangedDependencies } from './changed-dependencies.ts';
import { changedCommand, changedFields, type JobChange } from './job-change.ts';
import { RefusedJobs } from './refused-jobs.ts';
import { selectJobs } from './select.ts';

const PAGE_JOBS = 2_000;

/** The result of a change: the jids that were changed, and those that could not be, by the state that forbids it. */
export interface ChangeResult {
  /** The number of jobs whose commands the change does not apply to. */
  readonly unaffected: number;
  readonly changed: JidRange[];
  readonly count: number;
  readonly refused: ReadonlyMap<JobState, readonly number[]>;
}

const WRITE = { update: updateJob, resubmit: resubmitJob } as const;
export type ChangeKind = keyof typeof WRITE;

/**
 * Changes the selected jobs in one transaction: `update` pending and holding jobs, or `resubmit` finished and dead jobs,
 * which keep their jids and their attempts. If a job that is selected by its jid is in a state that the change does
 * not apply to, changes nothing and returns that job as refused. Otherwise skips jobs in such states.
 */
export async function changeJobs(
  queue: Queue,
  selection: Selection,
  change: JobChange,
  kind: ChangeKind,
  progress?: Progress,
): Promise<ChangeResult> {
  const source = sourceOf(change);
  const copies = hasFiles(source) ? await countJobs(queue, selection, kind) : 0;
  const sources = Array.from({ length: copies }, () => source);
  try {
    return await withStagedFiles(queue, sources, (names) =>
      transaction(queue, (run) => {
        const dependencies = new ChangedDependencies(run, change, queue, kind);
        return new Change(run, change, kind, names, dependencies).apply(selection, progress);
      }),
    );
  } catch (error) {
    if (error instanceof RefusedJobs) return { changed: [], count: 0, unaffected: 0, refused: error.jobs };
    if (!(error instanceof GrownSelection)) throw error;
    throw new RqError('BUSY', `cannot change the selected jobs: ${error.message}; nothing was changed; try again`);
  }
}

/** Rolls the transaction back. An RqError BUSY would make the transaction start over. */
class GrownSelection extends Error {}

/** One run of the transaction. */
class Change {
  private readonly ranges: { first: number; last: number }[] = [];
  private readonly refused = new Map<JobState, number[]>();
  private readonly owners: FileOwner[] = [];
  private readonly replaced: string[] = [];
  private readonly resumed = new Set<number>();
  private count = 0;
  private unaffected = 0;

  constructor(
    private readonly run: Transaction,
    private readonly change: JobChange,
    private readonly kind: ChangeKind,
    private readonly names: readonly JobFiles[],
    private readonly dependencies: ChangedDependencies,
  ) {}

  apply(selection: Selection, progress?: Progress): ChangeResult & FileChange {
    for (let after = 0; ; ) {
      const jobs = selectPage(this.run.connection, selection, { after, limit: PAGE_JOBS });
      for (const job of jobs) {
        const next = nextState(job, { kind: this.kind, state: this.change.state });
        if (next !== undefined) this.changeJob(job, next.state);
        else if (isSelectedByJid(job.jid, selection)) this.refuse(job);
      }
      const last = jobs.at(-1);
      if (last === undefined) break;
      after = last.jid;
      this.run.refresh();
      progress?.(this.count);
    }
    if (this.refused.size > 0) throw new RefusedJobs(this.refused);
    const revived = this.dependencies.finish();
    for (const { array } of revived) if (array !== null) this.resumed.add(array);
    if (this.resumed.size > 0) resumeArrays(this.run.connection, this.resumed);
    const { unaffected, refused, names, owners, replaced } = this;
    const used = Math.min(this.count, names.length);
    const changed = [...this.ranges, ...revived.map(({ jid }) => ({ first: jid, last: jid }))];
    return { changed, count: this.count + revived.length, unaffected, refused, used, owners, replaced };
  }

  private changeJob(job: Job, state: JobState): void {
    const command = changedCommand(job, this.change);
    if (command === undefined) {
      this.unaffected += 1;
      return;
    }
    const fields = changedFields(job, this.change, { state, command, files: this.changeFiles(job) });
    WRITE[this.kind](this.run.connection, job.jid, fields);
    if (this.kind === 'resubmit' && job.array !== null) this.resumed.add(job.array);
    this.dependencies.add(job);
    this.count += 1;
    const previous = this.ranges.at(-1);
    if (previous?.last === job.jid - 1) previous.last = job.jid;
    else this.ranges.push({ first: job.jid, last: job.jid });
  }

  private refuse({ jid, state }: Job): void {
    const others = this.refused.get(state);
    if (others === undefined) this.refused.set(state, [jid]);
    else others.push(jid);
  }

  private changeFiles(job: Job): JobFiles {
    const { change, names, owners, replaced } = this;
    const changed = FILE_KINDS.filter((kind) => change[kind] !== undefined);
    replaced.push(...changed.flatMap((kind) => namesOfKind(kind, job)));
    const files = hasFiles(sourceOf(change)) ? names[this.count] : NO_FILES;
    if (files === undefined) {
      throw new GrownSelection(`job ${job.jid} was added to the selection while rq copied files`);
    }
    if (hasFiles(files)) owners.push({ jid: job.jid, ...files });
    return filesByKind((kind) => (changed.includes(kind) ? files[kind] : job[kind]));
  }
}

/** The files that each changed job gets a copy of. */
function sourceOf(change: JobChange): JobFiles {
  return filesByKind((kind) => change[kind] ?? null);
}

/** The number of jobs that a change of the selection would apply to now. */
async function countJobs(queue: Queue, selection: Selection, kind: ChangeKind): Promise<number> {
  let count = 0;
  for await (const jobs of selectJobs(queue, selection)) {
    count += jobs.filter((job) => nextState(job, { kind }) !== undefined).length;
  }
  return count;
}
