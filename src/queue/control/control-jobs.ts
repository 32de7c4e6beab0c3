import type { KillWish } from '../../job/control/kill.ts';
import { hostName, userName } from '../../job/host.ts';
import type { Job, JobState } from '../../job/job.ts';
import { isSelectedByJid, type JidRange, type Selection } from '../../job/selection.ts';
import { nextState } from '../../job/transitions.ts';
import { addOrder, removeStaleOrders } from '../../store/control/orders.ts';
import { raiseControlVersion, recordKill, recordKillOfLost, recordPause } from '../../store/control/wishes.ts';
import { workOffDecisions } from '../../store/dependencies/work-off.ts';
import { selectPage } from '../../store/selections.ts';
import { RefusedJobs } from '../jobs/refused-jobs.ts';
import type { Queue } from '../open.ts';
import type { Progress } from '../progress.ts';
import { settingsIn } from '../settings.ts';
import { type Transaction, transaction } from '../transaction/transaction.ts';

const PAGE_JOBS = 2_000;

/** What became of the jobs that a command selected. */
export interface ControlResult {
  /** The jids to which the command applied, ascending. */
  readonly changed: readonly JidRange[];
  readonly count: number;
  /** The number of selected jobs to which it does not apply, because they have ended. */
  readonly skipped: number;
  /** The number of changed jobs that run, by host. */
  readonly running: ReadonlyMap<string, number>;
  /** Jids that were selected by jid and to whose state the command does not apply. If there is one, nothing has changed. */
  readonly refused: ReadonlyMap<JobState, readonly number[]>;
}

/**
 * Ends the selected jobs. Jobs that wait are dead when this returns; the hosts of running jobs end them later. Jobs that have
 * ended stay as they are. Without a grace period (in seconds), the setting of the queue applies.
 */
export async function killJobs(
  queue: Queue,
  selection: Selection,
  { reason, grace }: { readonly reason: string | null; readonly grace: number | undefined },
  progress?: Progress,
): Promise<ControlResult> {
  const by = sender();
  return await changed(queue, (run) => {
    const seconds = grace ?? settingsIn(run.connection).kill_grace;
    const wish: KillWish = { by, at: queue.clock.now(), reason, grace: seconds };
    const result = new Controlled(run, selection, progress).apply((job) => {
      const next = nextState(job, { kind: 'kill', wish });
      if (next === undefined) return recordKillOfLost(run.connection, job.jid, wish) ? 'done' : 'skip';
      recordKill(run.connection, job.jid, wish, next);
      return 'done';
    });
    workOffDecisions(run.connection, wish.at);
    return result;
  });
}

/** Pauses the selected running jobs, or lets them continue. */
export async function pauseJobs(
  queue: Queue,
  selection: Selection,
  paused: boolean,
  progress?: Progress,
): Promise<ControlResult> {
  return await changed(queue, (run) =>
    new Controlled(run, selection, progress).apply((job) => {
      // A job that was paused and then lost waits, and would be paused again.
      if (job.state !== 'running' && (paused || job.paused !== true)) return 'refuse';
      recordPause(run.connection, job.jid, paused);
      return 'done';
    }),
  );
}

/** Sends a signal to all processes of the selected running jobs, once. */
export async function signalJobs(
  queue: Queue,
  selection: Selection,
  signal: string,
  progress?: Progress,
): Promise<ControlResult> {
  const by = sender();
  return await changed(queue, (run) => {
    removeStaleOrders(run.connection);
    const order = { signal, sender: by, sent: queue.clock.now() };
    return new Controlled(run, selection, progress).apply((job) => {
      if (job.state !== 'running') return 'refuse';
      addOrder(run.connection, job.jid, order);
      return 'done';
    });
  });
}

async function changed(queue: Queue, work: (run: Transaction) => ControlResult): Promise<ControlResult> {
  try {
    return await transaction(queue, work);
  } catch (error) {
    if (!(error instanceof RefusedJobs)) throw error;
    return { changed: [], count: 0, skipped: 0, running: new Map(), refused: error.jobs };
  }
}

/** Who asks for a change, as the reason of an end shows it. */
function sender(): string {
  return `${userName()} on ${hostName()}`;
}

/** One run of the transaction over the selected jobs. */
class Controlled {
  private readonly changed: { first: number; last: number }[] = [];
  private readonly running = new Map<string, number>();
  private readonly refused = new Map<JobState, number[]>();
  private count = 0;
  private skipped = 0;

  constructor(
    private readonly run: Transaction,
    private readonly selection: Selection,
    private readonly progress: Progress | undefined,
  ) {}

  /** `refuse` is an error for a job that is selected by its jid. The transaction then changes nothing. */
  apply(change: (job: Job) => 'done' | 'skip' | 'refuse'): ControlResult {
    const { run, selection } = this;
    for (let after = 0; ; ) {
      const jobs = selectPage(run.connection, selection, { after, limit: PAGE_JOBS });
      for (const job of jobs) this.record(job, change(job));
      const last = jobs.at(-1);
      if (last === undefined) break;
      after = last.jid;
      run.refresh();
      this.progress?.(this.count);
    }
    const { changed, count, skipped, running, refused } = this;
    if (refused.size > 0) throw new RefusedJobs(refused);
    if (count > 0) raiseControlVersion(run.connection);
    return { changed, count, skipped, running, refused };
  }

  private record(job: Job, outcome: 'done' | 'skip' | 'refuse'): void {
    const { jid, state } = job;
    if (outcome === 'refuse' && isSelectedByJid(jid, this.selection)) {
      this.refused.set(state, [...(this.refused.get(state) ?? []), jid]);
    }
    if (outcome === 'skip') this.skipped += 1;
    if (outcome !== 'done') return;
    this.count += 1;
    if (state === 'running') this.running.set(job.runner, (this.running.get(job.runner) ?? 0) + 1);
    const previous = this.changed.at(-1);
    if (previous?.last === jid - 1) previous.last = jid;
    else this.changed.push({ first: jid, last: jid });
  }
}
