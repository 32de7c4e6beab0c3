import { crashAt } from '../../job/crash-points.ts';
import { RqError } from '../../job/errors.ts';
import type { JobState } from '../../job/job.ts';
import { isSelectedByJid, type JidRange, type Selection } from '../../job/selection.ts';
import { nextState } from '../../job/transitions.ts';
import { resubmitJob, updateJob } from '../../store/changes.ts';
import { selectPage } from '../../store/selections.ts';
import { ReplacedFiles } from '../files/replaced-files.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';
import { changedFields, type JobChange } from './job-change.ts';
import { selectJobs } from './select.ts';

const PAGE_JOBS = 2_000;

/** What came of a change: the jids that were changed, and those that were not, by the state that forbade it. */
export interface Changed {
  readonly changed: JidRange[];
  readonly count: number;
  readonly refused: ReadonlyMap<JobState, readonly number[]>;
}

const WRITE = { update: updateJob, resubmit: resubmitJob } as const;
export type ChangeKind = keyof typeof WRITE;

/**
 * Changes the selected jobs in one transaction. Jobs in a state that the kind is not for: where their jids were named,
 * nothing is changed at all, and they are given back as refused; where a state or all was, they are not meant.
 */
export async function changeJobs(
  queue: Queue,
  selection: Selection,
  change: JobChange,
  kind: ChangeKind,
  progress?: Progress,
): Promise<Changed> {
  const jids = typeof change.data === 'string' ? await jidsOf(queue, selection, kind) : [];
  const files = await ReplacedFiles.stage(queue.directory, change, jids);
  let isCommitted: boolean | undefined = false;
  crashAt('files-copied');
  try {
    const changed = await transaction(queue, (run) => changeIn(run, { selection, change, kind, files }, progress));
    isCommitted = true;
    return changed;
  } catch (error) {
    if (error instanceof Refused) return { changed: [], count: 0, refused: error.jobs };
    if (error instanceof RqError && error.code === 'OUTCOME_UNKNOWN') isCommitted = undefined;
    throw error;
  } finally {
    if (isCommitted !== undefined) await files.clear(isCommitted);
  }
}

/** Rolls a change back. */
class Refused extends Error {
  constructor(readonly jobs: ReadonlyMap<JobState, readonly number[]>) {
    super('jobs were named that are in another state');
  }
}

interface ChangeRequest {
  readonly selection: Selection;
  readonly change: JobChange;
  readonly kind: ChangeKind;
  readonly files: ReplacedFiles;
}

function changeIn(run: Transaction, { selection, change, kind, files }: ChangeRequest, progress?: Progress): Changed {
  files.begin();
  const ranges: { first: number; last: number }[] = [];
  const refused = new Map<JobState, number[]>();
  let count = 0;
  let after = 0;
  for (;;) {
    const jobs = selectPage(run.connection, selection, { after, limit: PAGE_JOBS });
    const last = jobs.at(-1);
    if (last === undefined) {
      if (refused.size > 0) throw new Refused(refused);
      crashAt('files-placed');
      return { changed: ranges, count, refused };
    }
    after = last.jid;
    for (const job of jobs) {
      const next = nextState(job, { kind, state: change.state });
      if (next !== undefined) {
        WRITE[kind](run.connection, job.jid, changedFields(job, change, next.state, files.place(job)));
        addJid(ranges, job.jid);
        count += 1;
        continue;
      }
      if (!isSelectedByJid(job.jid, selection)) continue;
      const others = refused.get(job.state);
      if (others === undefined) refused.set(job.state, [job.jid]);
      else others.push(job.jid);
    }
    run.refresh();
    progress?.(count);
  }
}

function addJid(ranges: { first: number; last: number }[], jid: number): void {
  const previous = ranges.at(-1);
  if (previous?.last === jid - 1) previous.last = jid;
  else ranges.push({ first: jid, last: jid });
}

async function jidsOf(queue: Queue, selection: Selection, kind: ChangeKind): Promise<number[]> {
  const jids: number[] = [];
  for await (const jobs of selectJobs(queue, selection)) {
    jids.push(...jobs.filter((job) => nextState(job, { kind }) !== undefined).map(({ jid }) => jid));
  }
  return jids;
}
