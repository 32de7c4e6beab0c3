import type { ArrayLimits } from '../job/job.ts';
import { stoppedReason } from '../job/placement/arrays.ts';
import { nextState } from '../job/transitions.ts';
import type { Connection } from './connection.ts';

const ADD = 'INSERT INTO arrays (array, tasks, at_most, max_fails) VALUES (:array, :tasks, :atMost, :maxFails)';
/** The tasks of an array have consecutive jids, so that the index of states has its pending tasks side by side. */
const STOPPED_TASKS = `SELECT jid, arrays.array AS array, max_fails FROM main.arrays INDEXED BY arrays_stopped
  CROSS JOIN main.jobs INDEXED BY jobs_by_state
  ON state = 'pending' AND jid BETWEEN arrays.array AND arrays.array + tasks - 1 AND jobs.array = arrays.array
  WHERE stopped IS NOT NULL LIMIT :limit`;
const END_TASK = 'UPDATE jobs SET state = :state, reason = :reason, finished = :now, due = NULL WHERE jid = :jid';
const RESUME =
  'UPDATE arrays SET stopped = NULL WHERE array IN (SELECT value FROM json_each(?)) AND stopped IS NOT NULL';
const ALL = 'SELECT array FROM arrays';
const REMOVE_EMPTY = `DELETE FROM arrays WHERE array IN (SELECT value FROM json_each(?))
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.array = arrays.array)`;

/** An exchange ends at most this many tasks, so that it stays short. */
const MAX_ENDED = 1_000;

/** Records an array. Its tasks have the jids from `array` on. */
export function addArray(connection: Connection, array: number, tasks: number, limits: ArrayLimits): void {
  connection.run(ADD, { array, tasks, atMost: limits.atMost, maxFails: limits.maxFails });
}

/** Whether a stopped array has a pending task, which the next exchange ends. */
export function hasStoppedTasks(connection: Connection): boolean {
  return connection.get(STOPPED_TASKS, { limit: 1 }) !== undefined;
}

/** Ends pending tasks of stopped arrays. Returns whether there are more of them. */
export function endStoppedTasks(connection: Connection, now: string): boolean {
  let ended = 0;
  for (const { jid, array, max_fails } of connection.all(STOPPED_TASKS, { limit: MAX_ENDED })) {
    const stopped = { kind: 'array stopped', reason: stoppedReason(Number(array), Number(max_fails)) } as const;
    const { state = null, reason = null } = nextState({ state: 'pending', restartable: false }, stopped) ?? {};
    connection.part(
      () => {
        ended += connection.run(END_TASK, { jid: Number(jid), state, reason, now }).changes;
      },
      () => undefined,
    );
  }
  return ended === MAX_ENDED;
}

/** Lets stopped arrays run again. Only their tasks that are failed then count as failures. */
export function resumeArrays(connection: Connection, arrays: Iterable<number>): void {
  connection.run(RESUME, [JSON.stringify([...arrays])]);
}

/** All arrays of the queue, by the jid of their first task. */
export function allArrays(connection: Connection): number[] {
  return connection.all(ALL).map(({ array }) => Number(array));
}

/** Removes the records of those of the arrays that have no task any more. */
export function removeEmptyArrays(connection: Connection, arrays: Iterable<number>): void {
  connection.run(REMOVE_EMPTY, [JSON.stringify([...arrays])]);
}
