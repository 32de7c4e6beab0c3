import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimJobs } from '../../../src/store/claim/claims.ts';
import { pendingByLane, usedLanes, writeLane } from '../../../src/store/claim/lanes.ts';
import { lanesIn, usageIn } from '../../../src/store/claim/limits.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { memoryDatabase } from '../../support/old-queue.ts';
import { addJob, claimRequest, submission } from '../../support/queue.ts';

const BY = { host: 'h', boot: 'b', journal: 'j', now: '2026-01-02T00:00:00.000Z' };
let connection: Connection;

beforeEach(() => {
  connection = memoryDatabase();
  connection.migrate();
});

afterEach(() => connection.close());

test('a lane has a row only while it has a limit or is paused', () => {
  writeLane(connection, 'gpu', { max: 4, paused: false });
  writeLane(connection, 'disk', { max: null, paused: true });
  expect([...lanesIn(connection)]).toEqual([
    ['disk', { max: null, paused: true }],
    ['gpu', { max: 4, paused: false }],
  ]);
  writeLane(connection, 'gpu', { max: null, paused: false });
  writeLane(connection, 'disk', { max: 2, paused: false });
  expect([...lanesIn(connection)]).toEqual([['disk', { max: 2, paused: false }]]);
});

test('every pending job counts in each of its lanes, and no job counts twice', () => {
  const lanes = ['gpu', 'gpu,disk', 'disk', null, 'net'];
  for (let index = 0; index < 60; index++) {
    const stage = index % 11 === 0;
    const jid = addJob(connection, submission('true', { lanes: lanes[index % lanes.length] ?? null, stage }));
    if (index % 3 === 0) connection.run('UPDATE jobs SET due = ? WHERE jid = ?', [BY.now, jid]);
    if (index % 4 === 0) connection.run('UPDATE jobs SET gate = 1 WHERE jid = ?', [jid]);
    if (index % 7 === 0) connection.run("UPDATE jobs SET lanes = 'net' WHERE jid = ?", [jid]);
    if (index % 9 === 0) connection.run("UPDATE jobs SET failed_starts = '{}' WHERE jid = ?", [jid]);
  }
  connection.run(`UPDATE jobs SET tag = 'owner,"lanes":["odd"]', owner = 'a,"lanes":["odd"]' WHERE jid = 1`);
  const counted = (name: string): unknown =>
    connection.get(
      `SELECT count(*) AS jobs FROM jobs WHERE state = 'pending' AND ',' || lanes || ',' LIKE '%,' || ? || ',%'`,
      [name],
    )?.['jobs'];
  const expected = ['disk', 'gpu', 'net'].map((name) => [name, counted(name)]);
  expect([...pendingByLane(connection)].sort()).toEqual(expected);
  claimJobs(connection, { ...BY, now: '2025-01-01T00:00:00.000Z' }, claimRequest(5));
  expect([...pendingByLane(connection)].sort()).toEqual(['disk', 'gpu', 'net'].map((name) => [name, counted(name)]));
  expect(usedLanes(connection)).toEqual(['disk', 'gpu', 'net']);
});

test('running jobs get a shape before others, so that they count towards the limits of the queue', () => {
  for (let index = 0; index < 1_010; index++) addJob(connection, submission('true', { lanes: 'gpu' }));
  for (let index = 0; index < 3; index++) addJob(connection, submission('true', { lanes: 'gpu', priority: 1 }));
  expect(claimJobs(connection, BY, claimRequest(3)).claimed.map(({ jid }) => jid)).toEqual([1011, 1012, 1013]);
  // As after a recovery.
  connection.run('UPDATE jobs SET shape = NULL');
  connection.run('DELETE FROM shapes');
  writeLane(connection, 'gpu', { max: 4, paused: false });
  expect(claimJobs(connection, BY, claimRequest(8)).claimed).toHaveLength(1);
  expect(usageIn(connection).lanes.get('gpu')).toBe(4);
});
