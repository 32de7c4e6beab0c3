import type { RunningJob } from '../job/job.ts';
import type { Connection } from './connection.ts';
import { JOB_COLUMNS, jobFromRow } from './job-rows.ts';

const FREE_JOBS = `SELECT jid, priority FROM jobs INDEXED BY jobs_claimable
  WHERE state = 'pending' AND runners IS NULL
  ORDER BY priority DESC, jid LIMIT ?`;
const NEXT_CONSTRAINT = `SELECT min(runners) AS runners FROM jobs INDEXED BY jobs_constrained
  WHERE state = 'pending' AND runners IS NOT NULL AND runners > ?`;
const CONSTRAINED_JOBS = `SELECT jid, priority FROM jobs INDEXED BY jobs_constrained
  WHERE state = 'pending' AND runners IS NOT NULL AND runners = ?
  ORDER BY priority DESC, jid LIMIT ?`;
const CLAIM = `UPDATE jobs SET state = 'running', attempt = attempt + 1, started = :now, runner = :host, boot = :boot,
  journal = :journal, stdout = 'stdout/' || jid, stderr = 'stderr/' || jid
  WHERE jid = :jid AND state = 'pending' RETURNING ${JOB_COLUMNS}`;

/** Whether this host may run a job with such a constraint. */
export type MayRun = (runners: string) => boolean;

/** Who claims: the host, its boot, the journal that will know the attempt, and the time. */
export interface Claimant {
  readonly host: string;
  readonly boot: string;
  readonly journal: string;
  readonly now: string;
}

interface Candidate {
  readonly jid: number;
  readonly priority: number;
}

/** Claims at most `limit` pending jobs that the host may run, the oldest of the highest priority first. */
export function claimJobs(connection: Connection, by: Claimant, mayRun: MayRun, limit: number): RunningJob[] {
  if (limit < 1) return [];
  return candidates(connection, mayRun, limit).map(({ jid }) => {
    const row = connection.get(CLAIM, { ...by, jid });
    if (row === undefined) throw new Error(`job ${jid} was claimed while the lease was held`);
    return jobFromRow(row) as RunningJob;
  });
}

/** Whether there is anything to claim. */
export function isClaimable(connection: Connection, mayRun: MayRun): boolean {
  return candidates(connection, mayRun, 1).length > 0;
}

/** What a claim would take, in its order. Each constraint is looked at once, however many jobs have it. */
function candidates(connection: Connection, mayRun: MayRun, limit: number): Candidate[] {
  const found = rowsOf(connection, FREE_JOBS, [limit]);
  let constraint = nextConstraint(connection, '');
  while (constraint !== undefined) {
    if (mayRun(constraint)) found.push(...rowsOf(connection, CONSTRAINED_JOBS, [constraint, limit]));
    constraint = nextConstraint(connection, constraint);
  }
  return found.sort((a, b) => b.priority - a.priority || a.jid - b.jid).slice(0, limit);
}

function rowsOf(connection: Connection, sql: string, parameters: readonly (string | number)[]): Candidate[] {
  return connection.all(sql, parameters).map((row) => ({ jid: Number(row['jid']), priority: Number(row['priority']) }));
}

function nextConstraint(connection: Connection, after: string): string | undefined {
  const runners = connection.get(NEXT_CONSTRAINT, [after])?.['runners'];
  return typeof runners === 'string' ? runners : undefined;
}
