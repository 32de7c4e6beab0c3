import type { JobState } from '../../job/job.ts';
import { isNever, MAX_NEEDS } from '../../job/placement/why/dependencies-text.ts';
import type { Gate, Need, Parent } from '../../job/placement/why/facts.ts';
import type { Connection, Row } from '../connection.ts';

/** How many needs of a gate are read with their jobs. */
const MAX_READ = 20;
const PARENT = `state, exit_status, signal, reason, runner, started, finished`;
const NEEDS = `SELECT needs.jid AS jid, kind, state, exit_status, signal, reason, runner, started, finished
  FROM needs LEFT JOIN jobs USING (jid) WHERE needs.gate = :gate ORDER BY needs.jid LIMIT :limit`;
const COUNT = 'SELECT count(*) AS needs FROM (SELECT 1 FROM needs WHERE gate = :gate LIMIT :limit)';
const DIED_OF = 'SELECT died_of FROM gates WHERE gate = ?';
const PARENTS = `SELECT jid, ${PARENT} FROM jobs WHERE jid IN (SELECT value FROM json_each(?))`;
const GATES_OF = 'SELECT jid, gate FROM jobs WHERE gate IS NOT NULL AND jid IN (SELECT value FROM json_each(?))';

/** What the jobs behind these gates wait for. */
export function readGates(connection: Connection, gates: Iterable<number>): Map<number, Gate> {
  return new Map([...new Set(gates)].map((gate) => [gate, readGate(connection, gate)]));
}

/** The gates of those of the jobs that have one. */
export function gatesOf(connection: Connection, jids: readonly number[]): Map<number, number> {
  const rows = connection.all(GATES_OF, [JSON.stringify(jids)]);
  return new Map(rows.map(({ jid, gate }) => [Number(jid), Number(gate)]));
}

/** The jobs with these jids that exist. */
export function readParents(connection: Connection, jids: Iterable<number>): Map<number, Parent> {
  const rows = connection.all(PARENTS, [JSON.stringify([...new Set(jids)])]);
  return new Map(rows.map((row) => [Number(row['jid']), parentOf(row)]));
}

function readGate(connection: Connection, gate: number): Gate {
  const needs = connection.all(NEEDS, { gate, limit: MAX_READ }).map((row): Need => {
    const parent = row['state'] === null ? undefined : parentOf(row);
    return { jid: Number(row['jid']), kind: row['kind'] as Need['kind'], parent };
  });
  const total = Number(connection.get(COUNT, { gate, limit: MAX_NEEDS + 1 })?.['needs']);
  const diedOf = connection.get(DIED_OF, [gate])?.['died_of'];
  if (typeof diedOf !== 'number' || needs.some(isNever)) return { needs, total };
  const others = needs.filter(({ jid }) => jid !== diedOf);
  return { needs: [unmet(connection, diedOf), ...others], total: total + 1 - (needs.length - others.length) };
}

/** A dependency that can no longer be met. Its row may be gone. */
function unmet(connection: Connection, jid: number): Need {
  const parent = readParents(connection, [jid]).get(jid);
  const need: Need = { jid, kind: 'ok', parent };
  return isNever(need) ? need : { ...need, kind: 'failed' };
}

function parentOf({ jid, state, exit_status, signal, reason, runner, started, finished }: Row): Parent {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    jid: Number(jid),
    state: state as JobState,
    exit_status: typeof exit_status === 'number' ? exit_status : null,
    signal: text(signal),
    reason: text(reason),
    runner: text(runner),
    started: text(started),
    finished: text(finished),
  };
}
