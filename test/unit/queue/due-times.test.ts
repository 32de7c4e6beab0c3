import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/job/clock.ts';
import { DueTimes, withDueTime } from '../../../src/queue/jobs/due-times.ts';
import { newQueue } from '../../support/queue.ts';

const HOUR_MS = 3_600_000;
/** The clock of a host that is five hours ahead of its file server. */
const fast: Clock = { ...systemClock, now: () => new Date(Date.now() + 5 * HOUR_MS).toISOString() };

test('a delay counts from the time of the file server, whatever the clock of the host says', async () => {
  const queue = await newQueue({ clock: fast });
  const times = new DueTimes(queue);
  const before = Date.now();
  const due = Date.parse(times.at('+1h') ?? '');
  // File systems stamp files with the time of the last clock tick.
  expect(due).toBeGreaterThan(before + HOUR_MS - 100);
  expect(due).toBeLessThan(Date.now() + HOUR_MS + 100);
  // Jobs of one call are due at the same time.
  expect(Date.parse(times.at('+2h') ?? '')).toBe(due + HOUR_MS);
  queue.close();
});

test('a time and no time stay as they are', async () => {
  const queue = await newQueue({ clock: fast });
  const time = '2026-12-01T22:00:00.000Z';
  expect([time, null].map((due) => new DueTimes(queue).at(due))).toEqual([time, null]);
  expect(withDueTime(queue, {})).toEqual({});
  expect(withDueTime(queue, { due: null })).toEqual({ due: null });
  queue.close();
});
