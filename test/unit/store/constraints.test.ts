import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Submission } from '../../../src/job/job.ts';
import { jobsRunningOn, releaseJob, reportEnd, reportStart } from '../../../src/store/attempts.ts';
import { claimJobs } from '../../../src/store/claim/claims.ts';
import { Connection } from '../../../src/store/connection.ts';
import { deleteRows } from '../../../src/store/deletions.ts';
import { selectPage } from '../../../src/store/selections.ts';
import { addJob, claimRequest, submission } from '../../support/queue.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const BY = { host: 'h1', boot: 'b', journal: 'j', now: NOW };
const NO_HOSTS = { hostsFor: (): string[] => [], serverNow: NOW };
let connection: Connection;

beforeEach(() => {
  connection = Connection.open(':memory:', { create: true, busyMs: 0 });
  connection.migrate();
});

afterEach(() => connection.close());

function add(...jobs: Partial<Submission>[]): void {
  for (const job of jobs) addJob(connection, submission('true', job));
}

function end(jid: number, claim = 1): Parameters<typeof reportEnd>[2] {
  const times = { started: NOW, finished: NOW, elapsed: 1, pid: 5 };
  return { jid, claim, ...times, exit_status: 0, signal: null, reason: null, isLost: false };
}

const job = (jid: number) =>
  selectPage(
    connection,
    { all: false, ranges: [{ first: jid, last: jid }], states: [], pairs: [] },
    { after: 0, limit: 1 },
  )[0];

test.each([
  ["UPDATE jobs SET state = 'running'"],
  ["UPDATE jobs SET state = 'finished', started = 'x', finished = 'y', runner = 'h', attempt = 1"],
  ["UPDATE jobs SET state = 'finished', exit_status = 0, started = 'x', finished = 'y', runner = 'h', attempt = 0"],
  ["UPDATE jobs SET state = 'dead', started = 'x', finished = 'y', runner = 'h', attempt = 1"],
  ["UPDATE jobs SET state = 'sleeping'"],
  ['UPDATE jobs SET pid = 4'],
  ["UPDATE jobs SET started = 'x'"],
  ['UPDATE jobs SET exit_status = 0'],
  ['UPDATE jobs SET priority = 2147483648'],
  ["UPDATE jobs SET priority = 'high'"],
  ["UPDATE jobs SET command = ''"],
  ["UPDATE jobs SET tag = printf('%256c', 'x')"],
])('the schema refuses a state that does not fit its fields: %s', (sql) => {
  add({});
  expect(() => connection.execute(sql)).toThrow(/constraint|cannot store TEXT/);
});

test('jids are never reused, even after all jobs were deleted', () => {
  add({}, {});
  deleteRows(connection, [1, 2]);
  add({});
  expect(job(3)).toMatchObject({ jid: 3, state: 'pending' });
});

test('a claim takes the oldest of the highest priority that the host may run', () => {
  add({}, { priority: 5 }, { priority: 5, runners: 'h1' }, { priority: 9, runners: 'other' }, { priority: -1 });
  const { claimed } = claimJobs(
    connection,
    BY,
    claimRequest(10, (runners) => runners === 'h1'),
  );
  expect(claimed.map(({ jid }) => jid)).toEqual([2, 3, 1, 5]);
  expect(claimed[0]).toMatchObject({ state: 'running', runner: 'h1', claim: 1, stdout: 'stdout/2' });
  expect(
    claimJobs(
      connection,
      BY,
      claimRequest(10, () => false),
    ).claimed,
  ).toEqual([]);
});

test('an end is recorded only for the latest attempt of the job', () => {
  add({});
  claimJobs(connection, BY, claimRequest(1));
  reportStart(connection, 'h1', { jid: 1, claim: 1, pid: 77, started: NOW });
  expect(job(1)).toMatchObject({ pid: 77 });
  expect(reportEnd(connection, 'h2', end(1), NO_HOSTS)).toBe(false);
  expect(reportEnd(connection, 'h1', end(1, 2), NO_HOSTS)).toBe(false);
  expect(reportEnd(connection, 'h1', end(1), NO_HOSTS)).toBe(true);
  // A feeder whose predecessor was killed after its commit reports the end again. The row does not change.
  expect(reportEnd(connection, 'h1', { ...end(1), exit_status: 9 }, NO_HOSTS)).toBe(true);
  expect(job(1)).toMatchObject({ state: 'finished', exit_status: 0, elapsed: 1 });
});

test('a lost job is dead with the reason, or pending with an earlier attempt if it is restartable', () => {
  add({}, { restartable: true });
  claimJobs(connection, BY, claimRequest(2));
  const lost = { exit_status: null, elapsed: null, reason: 'the host was rebooted', isLost: true };
  for (const jid of [1, 2]) expect(reportEnd(connection, 'h1', { ...end(jid), ...lost }, NO_HOSTS)).toBe(true);
  expect(job(1)).toMatchObject({ state: 'dead', reason: 'the host was rebooted' });
  expect(job(2)).toMatchObject({ state: 'pending', attempt: 1, started: null });
  expect(connection.all('SELECT attempt, reason FROM attempts WHERE jid = 2')).toEqual([
    { attempt: 1, reason: 'the host was rebooted' },
  ]);
  expect(claimJobs(connection, BY, claimRequest(1)).claimed).toMatchObject([{ jid: 2, claim: 2 }]);
});

test('the real end of a dead job that no other host claimed is accepted', () => {
  add({});
  claimJobs(connection, BY, claimRequest(1));
  reportEnd(connection, 'h1', { ...end(1), exit_status: null, reason: 'lost', isLost: true }, NO_HOSTS);
  expect(reportEnd(connection, 'h1', end(1), NO_HOSTS)).toBe(true);
  expect(job(1)).toMatchObject({ state: 'finished', exit_status: 0, reason: null });
});

test('a job that never started is released, restartable or not', () => {
  add({});
  const [claimed] = claimJobs(connection, BY, claimRequest(1)).claimed;
  expect(jobsRunningOn(connection, 'h1')).toMatchObject([{ jid: 1, journal: 'j', boot: 'b' }]);
  expect(claimed).toMatchObject({ jid: 1, claim: 1 });
  expect(releaseJob(connection, 'h1', { jid: 1, claim: 1 }, NOW)).toBe(true);
  expect(job(1)).toMatchObject({ state: 'pending', runner: null, attempt: 0 });
  expect(connection.all('SELECT attempt FROM attempts')).toEqual([]);
  // The number of an attempt that never began is used again, the number of a claim is not.
  expect(claimJobs(connection, BY, claimRequest(1)).claimed).toMatchObject([{ jid: 1, attempt: 1, claim: 2 }]);
});
