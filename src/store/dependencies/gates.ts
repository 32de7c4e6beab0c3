import { hasFailed, type Outcome } from '../../job/job.ts';
import { type DependencyEnd, type DependencyKind, isMet, unmetReason } from '../../job/placement/dependencies.ts';
import type { Connection, Row } from '../connection.ts';

const ADD_GATE = 'INSERT INTO gates (died_of, reason, decision) VALUES (:died_of, :reason, :decision)';
const ADD_NEED = 'INSERT OR IGNORE INTO needs (jid, gate, kind) VALUES (?, ?, ?)';
const SET_GATE = 'UPDATE jobs SET gate = ? WHERE jid = ?';
const MARK = `UPDATE jobs SET has_dependents = 1
  WHERE jid IN (SELECT value FROM json_each(?)) AND has_dependents IS NULL`;
const NEEDS = `SELECT needs.jid, kind, jobs.jid IS NULL AS is_deleted, state, exit_status, jobs.reason
  FROM needs INDEXED BY needs_by_gate LEFT JOIN jobs USING (jid) WHERE needs.gate = ? ORDER BY needs.jid`;
const REMOVE_NEED = 'DELETE FROM needs WHERE jid = ? AND gate = ? AND kind = ?';
const DECIDE = `UPDATE gates SET died_of = :died_of, reason = :reason, is_final = NULL, decision = :decision
  WHERE gate = :gate`;
const COPY_GATE = 'INSERT INTO gates DEFAULT VALUES';
const COPY_NEEDS = `INSERT INTO needs (jid, gate, kind)
  SELECT jid, :copy, kind FROM needs INDEXED BY needs_by_gate WHERE gate = :gate`;
const REMOVE_GATE = 'DELETE FROM gates WHERE gate = ?';

/** What the jobs of a gate become: claimable, dead, or waiting (again). */
export type GateDecision = 'open' | 'dead' | 'wait';

/** A dependency on a job, and how that job ended; undefined if it has not. */
export interface Dependence {
  readonly jid: number;
  readonly kind: DependencyKind;
  readonly end: DependencyEnd | undefined;
}

/** How the job of a row ended; undefined if it has not. */
export function endOf(row: Row): DependencyEnd | undefined {
  const outcome = row as unknown as Outcome;
  if (outcome.state !== 'finished' && outcome.state !== 'dead') return undefined;
  return hasFailed(outcome) ? 'failed' : 'ok';
}

/** A new gate. Without dependencies that are not met there is none. */
export interface NewGate {
  readonly gate: number | null;
  /** Why its jobs are dead; null if they are not. */
  readonly reason: string | null;
}

/** Adds a gate that these dependencies keep closed. */
export function addGate(connection: Connection, dependences: readonly Dependence[]): NewGate {
  const unmet = dependences.filter(isUnmet);
  if (unmet.length === 0) return { gate: null, reason: null };
  const death = deathOf(unmet);
  const decision = death.died_of === null ? null : 'dead';
  const gate = connection.run(ADD_GATE, { ...death, decision }).lastRowid;
  for (const { jid, kind } of unmet) connection.run(ADD_NEED, [jid, gate, kind]);
  return { gate, reason: death.reason };
}

export function setGate(connection: Connection, jid: number, gate: number | null): void {
  connection.run(SET_GATE, [gate, jid]);
}

/** Marks jobs whose ends decide others. */
export function markParents(connection: Connection, jids: Iterable<number>): void {
  connection.run(MARK, [JSON.stringify([...jids])]);
}

/** Decides a gate by the present states of the jobs that it needs. Its jobs follow when the decision is worked off. */
export function decideGate(connection: Connection, gate: number): GateDecision {
  const dependences = connection.all(NEEDS, [gate]).map((row): Dependence => {
    const end = row['is_deleted'] === 1 ? 'deleted' : endOf(row);
    return { jid: Number(row['jid']), kind: row['kind'] as DependencyKind, end };
  });
  const unmet = dependences.filter(isUnmet);
  for (const { jid, kind } of dependences.filter((each) => !isUnmet(each))) {
    connection.run(REMOVE_NEED, [jid, gate, kind]);
  }
  const death = deathOf(unmet);
  const decision = unmet.length === 0 ? 'open' : death.died_of === null ? 'wait' : 'dead';
  connection.run(DECIDE, { gate, ...death, decision });
  return decision;
}

/** Adds a gate for jobs that leave a dead one, and decides it. Returns null if all of its dependencies are met by now. */
export function copyGate(connection: Connection, gate: number): number | null {
  const copy = connection.run(COPY_GATE).lastRowid;
  connection.run(COPY_NEEDS, { copy, gate });
  if (decideGate(connection, copy) !== 'open') return copy;
  connection.run(REMOVE_GATE, [copy]);
  return null;
}

function isUnmet({ kind, end }: Dependence): boolean {
  return end === undefined || !isMet(kind, end);
}

/** The first of the unmet dependencies that can no longer be met, and the reason of the death. */
function deathOf(unmet: readonly Dependence[]): { died_of: number | null; reason: string | null } {
  const failed = unmet.find(({ end }) => end !== undefined);
  if (failed?.end === undefined) return { died_of: null, reason: null };
  return { died_of: failed.jid, reason: unmetReason(failed.kind, failed.jid, failed.end) };
}
