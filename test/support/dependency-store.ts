import type { Submission } from '../../src/job/job.ts';
import { nextState } from '../../src/job/transitions.ts';
import { ChangedDependencies } from '../../src/queue/jobs/changed-dependencies.ts';
import type { JobChange } from '../../src/queue/jobs/job-change.ts';
import { type AttemptEnd, releaseJob, reportEnd, reportLost } from '../../src/store/attempts.ts';
import { resubmitJob, updateJob } from '../../src/store/changes.ts';
import { claimJobs } from '../../src/store/claim/claims.ts';
import { ShapeIds } from '../../src/store/claim/shapes.ts';
import type { Connection, Row } from '../../src/store/connection.ts';
import { recordKill } from '../../src/store/control/wishes.ts';
import { deleteRows } from '../../src/store/deletions.ts';
import { DependencyResolver } from '../../src/store/dependencies/resolver.ts';
import { workOffDecisions } from '../../src/store/dependencies/work-off.ts';
import { findJob } from '../../src/store/selections.ts';
import { ALONE, insertJob, lastJid } from '../../src/store/submissions.ts';
import { ManualClock } from './manual-clock.ts';
import { memoryDatabase } from './old-queue.ts';
import { claimRequest, submission } from './queue.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const DIRECTORY = '/q';
const WISH = { by: 'ann on h1', at: NOW, reason: null, grace: 30 };
const BY = { host: 'h1', boot: 'b', journal: 'j', now: NOW };

/** The store of a queue in memory, and the changes of jobs with dependencies. Each is a transaction. */
export class DependencyStore {
  readonly connection: Connection = memoryDatabase();

  constructor() {
    this.connection.migrate();
  }

  close(): void {
    this.connection.close();
  }

  submit(jobs: readonly Partial<Submission>[], isArray = false): number[] {
    return this.change((connection) => {
      const known = lastJid(connection);
      const resolver = new DependencyResolver(connection, { action: 'cannot submit', directory: DIRECTORY, known });
      const shape = new ShapeIds(connection).of({ ...submission(''), owner: 'o' }, null);
      const jids = jobs.map((fields, index) => {
        const job = submission('true', fields);
        const jid = known + index + 1;
        const by = { submitted: NOW, submitter: 's', owner: 'o' };
        const task = isArray ? { array: known + 1, index: index + 1 } : {};
        const place = { ...ALONE, ...task, shape };
        insertJob(connection, jid, job, by, { ...place, gate: resolver.gateOf(job.after, { ...place, jid }) });
        return jid;
      });
      resolver.finish();
      return jids;
    });
  }

  /** Claims a job. Undefined if there is none. */
  claim(): number | undefined {
    return this.change((connection) => claimJobs(connection, BY, claimRequest(1)).claimed[0]?.jid);
  }

  /** Reports how the attempt of a running or lost job ended. */
  end(jid: number, isOk: boolean): void {
    this.change((connection) => {
      const end: AttemptEnd = { ...this.attemptOf(jid), ...RUN, exit_status: isOk ? 0 : 1, isLost: false };
      reportEnd(connection, BY.host, end, { hostsFor: () => [], serverNow: NOW });
    });
  }

  lose(jid: number): void {
    this.change((connection) => {
      reportLost(connection, { ...this.attemptOf(jid), pid: null, started: NOW, runner: BY.host }, 'gone', NOW);
    });
  }

  release(jid: number): void {
    this.change((connection) => releaseJob(connection, BY.host, this.attemptOf(jid), NOW));
  }

  kill(jid: number): void {
    this.change((connection) => {
      const next = nextState({ state: 'pending', restartable: false }, { kind: 'kill', wish: WISH });
      if (next !== undefined) recordKill(connection, jid, WISH, next);
    });
  }

  delete(jid: number): void {
    this.change((connection) => deleteRows(connection, [jid]));
  }

  resubmit(jids: readonly number[], withDependents: boolean): void {
    this.changeJobs(jids, { withDependents }, 'resubmit');
  }

  update(jid: number, change: JobChange): void {
    this.changeJobs([jid], change, 'update');
  }

  /** Decides at most this many dependents. Returns whether there are more. */
  workOff(limit: number): boolean {
    return this.change((connection) => workOffDecisions(connection, NOW, limit));
  }

  row(jid: number): Row | undefined {
    return this.connection.get('SELECT state, gate, died_of, reason FROM jobs WHERE jid = ?', [jid]);
  }

  all(sql: string): Row[] {
    return this.connection.all(sql);
  }

  private changeJobs(jids: readonly number[], change: JobChange, kind: 'update' | 'resubmit'): void {
    this.change((connection) => {
      const queue = { directory: DIRECTORY, clock: new ManualClock() };
      const dependencies = new ChangedDependencies({ connection, refresh: () => undefined }, change, queue, kind);
      for (const jid of jids) {
        const job = findJob(connection, jid);
        const next = job && nextState(job, { kind });
        if (job === undefined || next === undefined) throw new Error(`cannot ${kind} job ${jid}`);
        (kind === 'update' ? updateJob : resubmitJob)(connection, jid, { ...job, ...change, state: next.state });
        dependencies.add(job);
      }
      dependencies.finish();
    });
  }

  private attemptOf(jid: number): { jid: number; claim: number } {
    return { jid, claim: Number(this.connection.get('SELECT claim FROM jobs WHERE jid = ?', [jid])?.['claim']) };
  }

  private change<T>(work: (connection: Connection) => T): T {
    this.connection.execute('BEGIN IMMEDIATE');
    try {
      const result = work(this.connection);
      this.connection.execute('COMMIT');
      return result;
    } finally {
      if (this.connection.inTransaction) this.connection.execute('ROLLBACK');
    }
  }
}

const RUN = { pid: 5, started: NOW, finished: NOW, elapsed: 1, signal: null, reason: null };
