import { randomInt } from 'node:crypto';
import type { KillWish } from '../../job/control/kill.ts';
import type { AttemptKey } from '../../job/job.ts';
import type { Transition } from '../../job/transitions.ts';
import type { Connection, Row } from '../connection.ts';

export const KILL_COLUMNS = 'kill_by, kill_at, kill_reason, kill_grace';
const SET_KILL = 'kill_by = :by, kill_at = :at, kill_reason = :reason, kill_grace = :grace';
const KILL_RUNNING = `UPDATE jobs SET ${SET_KILL} WHERE jid = :jid`;
const KILL_WAITING = `UPDATE jobs SET ${SET_KILL}, state = :state, reason = :end, finished = :at, due = NULL WHERE jid = :jid`;
const KILL_LOST = `UPDATE jobs SET ${SET_KILL} WHERE jid = :jid AND is_lost = 1`;
const PAUSE = 'UPDATE jobs SET paused = :paused WHERE jid = :jid';
const WISHES = `SELECT jid, claim, paused, ${KILL_COLUMNS} FROM jobs INDEXED BY jobs_wishes
  WHERE runner = :host AND (state = 'running' OR is_lost = 1) AND (kill_at IS NOT NULL OR paused IS NOT NULL)`;
const READ_VERSION = 'PRAGMA application_id';
const MAX_VERSION = 2 ** 31 - 1;

/** What users want of a running attempt. */
export interface Wish extends AttemptKey {
  readonly kill: KillWish | undefined;
  readonly paused: boolean;
}

/** Records the wish that a job ends. A job that waits is dead at once, as `next` says. */
export function recordKill(connection: Connection, jid: number, wish: KillWish, next: Transition): void {
  const { state, reason: end = null } = next;
  if (state === 'running') connection.run(KILL_RUNNING, { ...wish, jid });
  else connection.run(KILL_WAITING, { ...wish, jid, state, end });
}

/** Records the wish that the attempt of a lost job ends, if its host comes back. False if the job was not lost. */
export function recordKillOfLost(connection: Connection, jid: number, wish: KillWish): boolean {
  return connection.run(KILL_LOST, { ...wish, jid }).changes > 0;
}

/** Records the wish that a running job is paused, or that it is not. */
export function recordPause(connection: Connection, jid: number, paused: boolean): void {
  connection.run(PAUSE, { jid, paused: paused ? 1 : null });
}

/** The kill of a row that contains the columns `KILL_COLUMNS`. */
export function killWishOf({ kill_by, kill_at, kill_reason, kill_grace }: Row): KillWish | undefined {
  if (typeof kill_at !== 'string') return undefined;
  const reason = typeof kill_reason === 'string' ? kill_reason : null;
  return { by: String(kill_by), at: kill_at, reason, grace: Number(kill_grace) };
}

/** The wishes for the attempts of a host, of which lost ones may still run. */
export function readWishes(connection: Connection, host: string): Wish[] {
  return connection.all(WISHES, { host }).map((row) => {
    const { jid, claim, paused } = row;
    return { jid: Number(jid), claim: Number(claim), paused: paused === 1, kill: killWishOf(row) };
  });
}

/**
 * A number that changes whenever wishes or orders are added. It is in the header of the database (`application_id`), which
 * every transaction reads anyway: a feeder learns without a further round trip that there is nothing new.
 */
export function controlVersion(connection: Connection): number {
  return Number(connection.get(READ_VERSION)?.['application_id']);
}

export function raiseControlVersion(connection: Connection): void {
  const version = controlVersion(connection);
  setControlVersion(connection, version >= MAX_VERSION ? 1 : version + 1);
}

/** Gives a database that replaces another one a version that no feeder is likely to know. */
export function replaceControlVersion(connection: Connection): void {
  setControlVersion(connection, randomInt(1, MAX_VERSION));
}

function setControlVersion(connection: Connection, version: number): void {
  connection.execute(`PRAGMA application_id = ${version}`);
}
