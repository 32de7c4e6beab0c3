import { expect, test } from 'vitest';
import { systemClock } from '../../../src/job/clock.ts';
import type { Selection } from '../../../src/job/selection.ts';
import { selectionStatus } from '../../../src/queue/selection-status.ts';
import { performanceStatus, periodStarts } from '../../../src/queue/status-sections.ts';
import { read } from '../../../src/queue/transaction/read.ts';
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
  ['a tag', { ...NOTHING, pairs: [{ field: 'tag', value: 'tag 3' }] }, ({ tag }) => tag === 'tag 3'],
  ['failed jobs', { ...NOTHING, failed: true }, hasFailed],
];

function hasFailed({ state, exit_status: status }: Row): boolean {
  return state === 'dead' || (state === 'finished' && status !== 0);
}

function countBy(rows: readonly Row[], key: (row: Row) => unknown): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[String(key(row))] = (counts[String(key(row))] ?? 0) + 1;
  return counts;
}

test.each(SELECTIONS)('the status of %s counts exactly these jobs', async (_, selection, isSelected) => {
  const queue = await newQueue({ clock: { ...systemClock, now: () => NOW } });
  await fillQueue(queue, seededRandom(7));
  const all = await read(queue, (connection) => connection.all('SELECT * FROM jobs ORDER BY jid'));
  const rows = all.filter(isSelected);
  expect(rows.length).toBeGreaterThan(5);
  const { report, total } = await selectionStatus(queue, selection, new Map([['some', [1, 2, 2]]]));
  const failed = rows.filter(hasFailed);
  const finished = rows.filter(({ state }) => state === 'finished');
  const since = (start: string): number => finished.filter((row) => String(row['finished']) >= start).length;
  const elapsed = finished.map((row) => Number(row['elapsed']));
  expect(total).toBe(rows.length);
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
  const { performance } = report as { performance: Record<string, string | null> };
  const seconds = /^00h(\d\d)m(.*)s$/.exec(performance['average_time_a_job'] ?? '');
  if (finished.length === 0) expect(performance['average_time_a_job']).toBe(null);
  else {
    const average = elapsed.reduce((sum, each) => sum + each, 0) / elapsed.length;
    expect(Number(seconds?.[1]) * 60 + Number(seconds?.[2])).toBeCloseTo(average, 1);
  }
  queue.close();
});

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
