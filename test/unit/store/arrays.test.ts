import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobState } from '../../../src/job/job.ts';
import {
  addArray,
  allArrays,
  endStoppedTasks,
  hasStoppedTasks,
  removeEmptyArrays,
  resumeArrays,
} from '../../../src/store/arrays.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { deleteRows } from '../../../src/store/deletions.ts';
import { memoryDatabase } from '../../support/old-queue.ts';
import { addJob, submission } from '../../support/queue.ts';

const NOW = '2026-01-02T03:04:05.678Z';
const NO_LIMITS = { atMost: null, maxFails: null };
let connection: Connection;

beforeEach(() => {
  connection = memoryDatabase();
  connection.migrate();
});

afterEach(() => connection.close());

/** Adds an array of this many tasks. Returns the jid of the first. */
function newArray(tasks: number, maxFails: number | null = null): number {
  const jids = Array.from({ length: tasks }, () => addJob(connection, submission('true')));
  const array = jids[0] ?? 0;
  addArray(connection, array, tasks, { ...NO_LIMITS, maxFails });
  connection.run('UPDATE jobs SET array = ? WHERE jid >= ?', [array, array]);
  return array;
}

/** Ends a task as an exchange does. */
function end(jid: number, exitStatus: number | null): void {
  const state: JobState = exitStatus === null ? 'dead' : 'finished';
  connection.run(
    `UPDATE jobs SET state = ?, started = 'x', runner = 'h', attempt = 1, finished = ?, exit_status = ?, reason = ?, due = NULL
     WHERE jid = ?`,
    [state, NOW, exitStatus, exitStatus === null ? 'lost' : null, jid],
  );
}

function stopped(array: number): unknown {
  return connection.get('SELECT stopped FROM arrays WHERE array = ?', [array])?.['stopped'];
}

function jidsIn(state: JobState): number[] {
  return connection.all('SELECT jid FROM jobs WHERE state = ? ORDER BY jid', [state]).map(({ jid }) => Number(jid));
}

test('an array stops at the permitted number of failures, and not before', () => {
  const array = newArray(6, 3);
  end(1, 1);
  end(2, 0);
  end(3, null);
  expect([stopped(array), hasStoppedTasks(connection), endStoppedTasks(connection, NOW)]).toEqual([null, false, false]);
  expect(jidsIn('pending')).toEqual([4, 5, 6]);
  end(4, 7);
  expect([stopped(array), hasStoppedTasks(connection)]).toEqual([NOW, true]);
  expect(endStoppedTasks(connection, NOW)).toBe(false);
  expect(connection.all('SELECT jid, state, finished, reason, started FROM jobs WHERE jid > 4')).toEqual(
    [5, 6].map((jid) => {
      return { jid, state: 'dead', finished: NOW, reason: 'array 1 stopped after 3 failures', started: null };
    }),
  );
  expect(hasStoppedTasks(connection)).toBe(false);
});

test('one failure is enough for --max-fails 1, and an array without the limit never stops', () => {
  const limited = newArray(2, 1);
  const free = newArray(50);
  for (let jid = free; jid < free + 49; jid++) end(jid, 1);
  expect([stopped(free), hasStoppedTasks(connection)]).toEqual([null, false]);
  end(limited, 1);
  endStoppedTasks(connection, NOW);
  expect(connection.get('SELECT reason FROM jobs WHERE jid = 2')).toEqual({
    reason: 'array 1 stopped after 1 failure',
  });
  expect(jidsIn('pending')).toEqual([free + 49]);
});

test('a thousand tasks end at a time, of several arrays, and no other job ends', () => {
  const first = newArray(1_100, 1);
  addJob(connection, submission('true'));
  const second = newArray(1_000, 1);
  const other = newArray(10, 2);
  for (const jid of [first, second, other]) end(jid, 1);
  const ended: [boolean, number][] = [];
  do {
    ended.push([endStoppedTasks(connection, NOW), jidsIn('dead').length]);
  } while (hasStoppedTasks(connection));
  expect(ended).toEqual([
    [true, 1_000],
    [true, 2_000],
    [false, 2_098],
  ]);
  expect(jidsIn('pending')).toEqual([1_101, ...Array.from({ length: 9 }, (_, at) => other + 1 + at)]);
});

test('tasks that are held or run stay, and end when they are pending again', () => {
  const array = newArray(5, 1);
  connection.run("UPDATE jobs SET state = 'holding' WHERE jid = 2");
  const running = "state = 'running', runner = 'h', boot = 'b', journal = 'j', started = 'x', attempt = 1";
  connection.run(`UPDATE jobs SET ${running} WHERE jid = 3`);
  connection.run(`UPDATE jobs SET due = '2026-02-01T00:00:00.000Z' WHERE jid = 4`);
  end(array, 1);
  endStoppedTasks(connection, NOW);
  expect([jidsIn('holding'), jidsIn('running'), jidsIn('dead')]).toEqual([[2], [3], [4, 5]]);
  connection.run("UPDATE jobs SET state = 'pending' WHERE jid = 2");
  expect(hasStoppedTasks(connection)).toBe(true);
  endStoppedTasks(connection, NOW);
  expect(jidsIn('dead')).toEqual([2, 4, 5]);
});

test('an array that runs again stops at its next failure if as many tasks are failed', () => {
  const array = newArray(6, 2);
  end(1, 1);
  end(2, 1);
  endStoppedTasks(connection, NOW);
  connection.run("UPDATE jobs SET state = 'pending', finished = NULL, reason = NULL WHERE jid IN (3, 4)");
  resumeArrays(connection, [array, 999]);
  expect([stopped(array), hasStoppedTasks(connection)]).toEqual([null, false]);
  end(3, 0);
  expect(stopped(array)).toBeNull();
  end(4, 1);
  expect(stopped(array)).toBe(NOW);
});

test('the failures of tasks that run again are not counted', () => {
  const array = newArray(6, 2);
  end(1, 1);
  end(2, 1);
  connection.run(
    "UPDATE jobs SET state = 'pending', finished = NULL, exit_status = NULL, started = NULL, runner = NULL",
  );
  resumeArrays(connection, [array]);
  end(3, 1);
  expect(stopped(array)).toBeNull();
  end(1, 1);
  expect(stopped(array)).toBe(NOW);
});

test('a row that cannot be changed does not prevent the end of the others', () => {
  newArray(4, 1);
  connection.execute(
    "CREATE TRIGGER refuse BEFORE UPDATE ON jobs WHEN new.jid = 3 BEGIN SELECT RAISE(ABORT, 'refused'); END",
  );
  end(1, 1);
  connection.run('BEGIN');
  expect(endStoppedTasks(connection, NOW)).toBe(false);
  connection.run('COMMIT');
  expect([jidsIn('dead'), jidsIn('pending')]).toEqual([[2, 4], [3]]);
});

test('the record of an array goes with the last of its tasks', () => {
  const [one, two] = [newArray(2), newArray(1)];
  const arrays = (): unknown[] => connection.all('SELECT array, tasks FROM arrays').map(Object.values);
  deleteRows(connection, [one]);
  removeEmptyArrays(connection, allArrays(connection));
  expect(arrays()).toEqual([
    [one, 2],
    [two, 1],
  ]);
  deleteRows(connection, [2, two]);
  removeEmptyArrays(connection, [two]);
  expect(arrays()).toEqual([[one, 2]]);
  removeEmptyArrays(connection, [one]);
  expect(arrays()).toEqual([]);
});
