import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasFailed, JOB_STATES, type JobState, type Outcome } from '../../../src/job/job.ts';
import type { Connection } from '../../../src/store/connection.ts';
import {
  countOpen,
  endedJids,
  mergeRanges,
  missingJids,
  openJids,
  selectOutcomes,
} from '../../../src/store/selections.ts';
import { memoryDatabase } from '../../support/old-queue.ts';

const ENDS: readonly Omit<Outcome, 'state'>[] = [
  { exit_status: 0, signal: null, reason: null },
  { exit_status: 1, signal: null, reason: null },
  { exit_status: null, signal: 'SIGTERM', reason: null },
  { exit_status: 0, signal: null, reason: 'time limit' },
  { exit_status: 9, signal: null, reason: 'time limit' },
];
const ALL: readonly Outcome[] = JOB_STATES.flatMap((state) => ENDS.map((end) => ({ state, ...end })));
/** Every third jid does not exist. */
const COUNT = 75;
let connection: Connection;

const exists = (jid: number): boolean => jid <= COUNT && jid % 3 !== 0;
const outcomeOf = (jid: number): Outcome => ALL[jid % ALL.length] ?? { state: 'pending' };
const isOpen = (state: JobState): boolean => state !== 'finished' && state !== 'dead';

beforeAll(() => {
  connection = memoryDatabase();
  connection.migrate();
  connection.execute('PRAGMA ignore_check_constraints = ON');
  for (let jid = 1; jid <= COUNT; jid++) {
    if (!exists(jid)) continue;
    const { state, exit_status = null, signal = null, reason = null } = outcomeOf(jid);
    connection.run(
      `INSERT INTO jobs (jid, state, submitted, submitter, owner, cwd, command, exit_status, signal, reason)
       VALUES (?, ?, 'x', 's', 'o', '/', 'c', ?, ?, ?)`,
      [jid, state, exit_status, signal, reason],
    );
  }
});

afterAll(() => connection.close());

const ranges = fc
  .array(fc.tuple(fc.integer({ min: 1, max: COUNT + 5 }), fc.nat(20)), { maxLength: 6 })
  .map((pairs) => mergeRanges(pairs.map(([first, more]) => ({ first, last: first + more }))));

test('the statements of a wait find exactly the open and the ended jobs of the ranges', () => {
  fc.assert(
    fc.property(ranges, (selected) => {
      const jids = selected.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      );
      const found = jids.filter(exists);
      const open = found.filter((jid) => isOpen(outcomeOf(jid).state));
      const ended = found.filter((jid) => !isOpen(outcomeOf(jid).state));
      expect(openJids(connection, selected)).toEqual(open);
      expect(endedJids(connection, selected, 1_000)).toEqual(ended);
      expect(endedJids(connection, selected, 2)).toHaveLength(Math.min(2, ended.length));
      const running = open.filter((jid) => outcomeOf(jid).state === 'running').length;
      const counts = countOpen(connection, selected);
      expect(counts.get('running') ?? 0).toBe(running);
      expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(open.length);
      expect(missingJids(connection, jids)).toEqual(jids.filter((jid) => !exists(jid)));
    }),
  );
});

test('a wait reads only the index of states, by state and jid', () => {
  const used: string[] = [];
  const spy = {
    all: (sql: string, parameters: Record<string, string>) => {
      used.push(sql);
      return connection.all(sql, parameters);
    },
  };
  const selected = [{ first: 1, last: 9 }];
  openJids(spy as unknown as Connection, selected);
  countOpen(spy as unknown as Connection, selected);
  endedJids(spy as unknown as Connection, selected, 9);
  expect(used).toHaveLength(3);
  for (const sql of used) {
    const plan = connection.all(`EXPLAIN QUERY PLAN ${sql}`, {
      ranges: '[]',
      ...(sql.includes(':limit') ? { limit: 9 } : {}),
    });
    expect(plan.map(({ detail }) => detail)).toContain(
      'SEARCH main.jobs USING COVERING INDEX jobs_by_state (state=? AND rowid>? AND rowid<?)',
    );
  }
});

test('"failed" selects exactly the jobs that failed', () => {
  const selection = { all: false, failed: true, ranges: [], states: [], pairs: [] };
  const found = selectOutcomes(connection, selection, { after: 0, limit: 1_000 });
  const failed = Array.from({ length: COUNT }, (_, index) => index + 1).filter(
    (jid) => exists(jid) && hasFailed(outcomeOf(jid)),
  );
  expect(found.map(({ jid }) => jid)).toEqual(failed);
  expect(found.map(({ jid, ...outcome }) => outcome)).toEqual(failed.map(outcomeOf));
});
