import { expect, test } from 'vitest';
import { systemClock } from '../../../src/job/clock.ts';
import type { Selection } from '../../../src/job/selection.ts';
import { duration } from '../../../src/queue/duration.ts';
import { selectionStatus } from '../../../src/queue/selection-status.ts';
import { performanceStatus, periodStarts } from '../../../src/queue/status-sections.ts';
import { read } from '../../../src/queue/transaction/read.ts';
import { transaction } from '../../../src/queue/transaction/transaction.ts';
import type { Row } from '../../../src/store/connection.ts';
import { fillQueue } from '../../support/big-queue.ts';
import { newQueue } from '../../support/queue.ts';
import { seededRandom } from '../../support/random.ts';

const NOW = '2026-01-20T00:00:00.000Z';
const NOTHING: Selection = { all: false, ranges: [], states: [], pairs: [] };

const SELECTIONS: readonly (readonly [string, Selection, (row: Row) => boolean])[] = [
  ['all jobs', { ...NOTHING, all: true }, () => true],
  ['a state', { ...NOTHING, states: ['running'] }, ({ state }) => state === 'running'],
  [
    'ranges',
    { ...NOTHING, ranges: [{ first: 100, last: 500 }] },
    ({ jid }) => Number(jid) >= 100 && Number(jid) <= 500,
  ],
  [
    'every second job, in more ranges than a page has jobs',
    { ...NOTHING, ranges: Array.from({ length: 14_000 }, (_, index) => ({ first: 2 * index, last: 2 * index })) },
    ({ jid }) => Number(jid) % 2 === 0,
  ],
  [
    'jids and states',
    { ...NOTHING, ranges: [{ first: 1, last: 15_000 }], states: ['dead'] },
    ({ jid, state }) => Number(jid) <= 15_000 || state === 'dead',
  ],
  ['a tag', { ...NOTHING, pairs: [{ field: 'tag', value: 'tag 3' }] }, ({ tag }) => tag === 'tag 3'],
  ['failed jobs', { ...NOTHING, failed: true }, hasFailed],
];

function hasFailed({ state, exit_status: status }: Row): boolean {
  return state === 'dead' || (state === 'finished' && status !== 0);
}

/** Adds jobs, so that they are counted in several pages. */
const MORE_JOBS = `WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 24000)
  INSERT INTO jobs (state, submitted, started, finished, elapsed, submitter, owner, runner, exit_status, attempt, cwd,
    command, cpu_time)
  SELECT 'finished', '${NOW}', strftime('%Y-%m-%dT%H:%M:%fZ', '${NOW}', '-' || (n + 60) || ' seconds'),
    strftime('%Y-%m-%dT%H:%M:%fZ', '${NOW}', '-' || n || ' seconds'), n % 9, 's', 'o', 'n' || n % 4, n % 3, 1, '/', 'true',
    0.5 FROM number`;

function countBy(rows: readonly Row[], key: (row: Row) => unknown): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[String(key(row))] = (counts[String(key(row))] ?? 0) + 1;
  return counts;
}

test('the status of a selection counts exactly the selected jobs', async () => {
  const queue = await newQueue({ clock: { ...systemClock, now: () => NOW } });
  await fillQueue(queue, seededRandom(7));
  await transaction(queue, ({ connection }) => connection.execute(MORE_JOBS));
  const all = await read(queue, (connection) => connection.all('SELECT * FROM jobs ORDER BY jid'));
  for (const [name, selection, isSelected] of SELECTIONS) {
    const { report, total } = await selectionStatus(queue, selection, new Map([['some', [1, 2, 2]]]));
    expectStatus({ name, report, total }, all.filter(isSelected));
  }
  queue.close();
});

function expectStatus(
  { name, report, total }: { name: string; report: Record<string, unknown>; total: number },
  rows: readonly Row[],
): void {
  expect(rows.length).toBeGreaterThan(5);
  const failed = rows.filter(hasFailed);
  const finished = rows.filter(({ state }) => state === 'finished');
  const since = (start: string): number => finished.filter((row) => String(row['finished']) >= start).length;
  const elapsed = finished.map((row) => Number(row['elapsed']));
  expect({ name, total }).toEqual({ name, total: rows.length });
  expect(report).toMatchObject({
    jobs: { ...countBy(rows, ({ state }) => state), total },
    performance: {
      finished_in_the_last_hour: since(periodStarts(NOW)[0] ?? ''),
      finished_in_the_last_12_hours: since(periodStarts(NOW)[1] ?? ''),
      finished_in_the_last_24_hours: since(periodStarts(NOW)[2] ?? ''),
    },
    exit_status: {
      successes: finished.filter((row) => row['exit_status'] === 0).length,
      failures: failed.length,
      some: finished.filter((row) => [1, 2].includes(Number(row['exit_status']))).length,
    },
    failures: {
      by_exit_status: countBy(failed, (row) => (row['state'] === 'dead' ? 'dead' : row['exit_status'])),
      by_host: countBy(failed, ({ runner }) => runner),
    },
  });
  const { temporal, performance } = report as Record<string, Record<string, unknown>>;
  const isShown = finished.length > 0;
  const average = elapsed.reduce((sum, each) => sum + each, 0) / elapsed.length;
  expect(performance?.['average_time_a_job']).toBe(isShown ? duration(average) : null);
  const ends = [finished[0], finished.at(-1)].map((row) => ({
    [String(row?.['jid'])]: duration(Number(row?.['elapsed'])),
  }));
  expect(temporal?.['finished']).toEqual(isShown ? { oldest: ends[0], newest: ends[1] } : {});
}

test.each([
  ['the last hour', [20, 90, 90], '2026-01-01T00:00:00.000Z', 40, 20, '02h00m00.00s'],
  [
    'the time since the first start, if that is shorter',
    [20, 20, 20],
    '2026-01-19T23:30:00.000Z',
    40,
    40,
    '01h00m00.00s',
  ],
  [
    'the last 12 hours, if few jobs finished in the last hour',
    [9, 12, 90],
    '2026-01-01T00:00:00.000Z',
    3,
    1,
    '03h00m00.00s',
  ],
  [
    'the last 24 hours, if few jobs finished in the last 12',
    [0, 0, 6],
    '2026-01-01T00:00:00.000Z',
    1,
    0.25,
    '04h00m00.00s',
  ],
  ['nothing, if no job finished', [0, 0, 0], null, 5, 0, null],
  ['the last hour, and no job is left', [20, 20, 20], '2026-01-01T00:00:00.000Z', 0, 20, '00h00m00.00s'],
  ['a second, if the clock of the host was ahead', [1, 1, 1], '2026-01-20T00:01:00.000Z', 2, 3600, '00h00m02.00s'],
] as const)('the rate is that of %s', (_, recent, firstStarted, unfinished, rate, left) => {
  const finished = { averageSeconds: 1.5, recent, firstStarted };
  expect(performanceStatus(finished, unfinished, NOW)).toEqual({
    average_time_a_job: '00h00m01.50s',
    finished_in_the_last_hour: recent[0],
    finished_in_the_last_12_hours: recent[1],
    finished_in_the_last_24_hours: recent[2],
    jobs_an_hour: rate,
    time_left: left,
  });
});
