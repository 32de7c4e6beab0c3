import type { Connection } from '../connection.ts';

const NEEDED = `SELECT value AS jid FROM json_each(?) WHERE EXISTS (SELECT 1 FROM needs WHERE needs.jid = value)`;
const DEPENDENTS = `SELECT wanted.value AS needed, jobs.jid FROM json_each(?) AS wanted
  CROSS JOIN needs ON needs.jid = wanted.value CROSS JOIN gates USING (gate)
  CROSS JOIN jobs ON jobs.gate = needs.gate WHERE gates.died_of IS NULL AND state IN ('pending', 'holding')`;
const IS_RUNNING_NEEDED = `SELECT 1 FROM jobs AS parent INDEXED BY jobs_running
  WHERE parent.state = 'running' AND has_dependents = 1 AND EXISTS (SELECT 1 FROM needs
    CROSS JOIN gates USING (gate) CROSS JOIN jobs ON jobs.gate = needs.gate
    WHERE needs.jid = parent.jid AND gates.died_of IS NULL AND jobs.state = 'pending') LIMIT 1`;

/** A job that another one needs, and a pending or holding job that needs it. */
export interface Need {
  readonly needed: number;
  readonly jid: number;
}

/** Those of the jids that a gate needs. */
export function neededJids(connection: Connection, jids: readonly number[]): number[] {
  return connection.all(NEEDED, [JSON.stringify(jids)]).map(({ jid }) => Number(jid));
}

/** The pending and holding jobs that need these jobs, one at a time. */
export function dependentsOf(connection: Connection, jids: readonly number[]): Iterable<Need> {
  return connection.iterate(DEPENDENTS, [JSON.stringify(jids)]) as unknown as Iterable<Need>;
}

/** Whether a pending job needs one that is running. */
export function isRunningJobNeeded(connection: Connection): boolean {
  return connection.get(IS_RUNNING_NEEDED) !== undefined;
}
