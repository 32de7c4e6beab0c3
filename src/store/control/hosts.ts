import type { Connection } from '../connection.ts';
import { PLACEMENT_VERSION } from '../placement-schema.ts';

const DRAINED = 'SELECT host, drained, by, reason FROM hosts ORDER BY host';
const DRAIN_OF = 'SELECT host, drained, by, reason FROM hosts WHERE host = ?';
/** A host that is drained again stays drained since the first time. */
const DRAIN = `INSERT INTO hosts (host, drained, by, reason) VALUES (:host, :drained, :by, :reason)
  ON CONFLICT (host) DO UPDATE SET by = excluded.by, reason = excluded.reason WHERE excluded.reason IS NOT NULL`;
/** Another host keeps places free for the job. */
const MOVE_RESERVATIONS = 'UPDATE reservations SET host = NULL, since = NULL WHERE host = ?';
/** A job has no pid before it begins, and for half a second afterwards. */
const UNBEGUN = `SELECT 1 FROM jobs INDEXED BY jobs_running
  WHERE state = 'running' AND runner = ? AND pid IS NULL LIMIT 1`;
const UNDRAIN = 'DELETE FROM hosts WHERE host = ?';

/** A drained host, since when, who drained it (user and host) and why. */
export interface Drain {
  readonly host: string;
  readonly drained: string;
  readonly by: string;
  readonly reason: string | null;
}

/** The drained hosts in the order of their names. */
export function drainedHosts(connection: Connection): Drain[] {
  return connection.version() < PLACEMENT_VERSION ? [] : (connection.all(DRAINED) as unknown as Drain[]);
}

/** Undefined for a host that is not drained. */
export function drainOf(connection: Connection, host: string): Drain | undefined {
  return connection.get(DRAIN_OF, [host]) as Drain | undefined;
}

export function drainHost(connection: Connection, drain: Drain): void {
  connection.run(DRAIN, { ...drain });
  connection.run(MOVE_RESERVATIONS, [drain.host]);
}

/** Whether a host has claimed a job of which the database does not say that it began. */
export function hasUnbegun(connection: Connection, host: string): boolean {
  return connection.get(UNBEGUN, [host]) !== undefined;
}

/** Returns false if the host was not drained. */
export function undrainHost(connection: Connection, host: string): boolean {
  return connection.run(UNDRAIN, [host]).changes > 0;
}
