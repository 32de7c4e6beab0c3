import { renameSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import type { Queue } from '../../../src/queue/open.ts';
import { QueueChanges } from '../../../src/queue/wait/queue-changes.ts';
import { newQueue, submission } from '../../support/queue.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Longer than the test may take, so that only the kernel can report a change. */
const NEVER_MS = 10_000_000;
let queue: Queue;
let changes: QueueChanges;

beforeEach(async () => {
  vi.stubEnv('RQ_RUNTIME_DIR', temporaryDirectory());
  queue = await newQueue();
});

afterEach(() => {
  vi.unstubAllEnvs();
  changes.stop();
  queue.close();
});

function watched(intervalMs: number): QueueChanges {
  changes = new QueueChanges(queue, intervalMs);
  changes.start();
  return changes;
}

async function commit(): Promise<void> {
  await submitJobs(queue, [submission('true')]);
}

test('a commit on this host ends a wait at once', async () => {
  watched(NEVER_MS);
  const waiting = changes.next(NEVER_MS);
  await commit();
  expect(await waiting).toBe(true);
});

test('a commit between two waits ends the next one', async () => {
  watched(NEVER_MS);
  for (let count = 0; count < 3; count++) {
    await commit();
    expect(await changes.next(NEVER_MS)).toBe(true);
  }
});

test('without a change, a wait ends at its limit', async () => {
  watched(NEVER_MS);
  expect(await changes.next(100)).toBe(false);
  expect(await changes.next(0)).toBe(false);
});

test('after a failed read, the next poll counts as a change', async () => {
  watched(100);
  changes.expectChange();
  expect(await changes.next(NEVER_MS)).toBe(true);
  expect(await changes.next(200)).toBe(false);
});

test('all waiters of a host together read at most twenty times a second', async () => {
  watched(NEVER_MS);
  const waiters = Array.from({ length: 8 }, () => new QueueChanges(queue, NEVER_MS));
  const reads = waiters.map(() => 0);
  const startMs = performance.now();
  const waits = waiters.map(async (waiter, index) => {
    waiter.start();
    while (await waiter.next(NEVER_MS)) reads[index] = (reads[index] ?? 0) + 1;
  });
  while (Math.min(...reads) < 3) {
    await commit();
    // Events and timers are handled between turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const elapsedMs = performance.now() - startMs;
  for (const waiter of waiters) waiter.stop();
  await Promise.all(waits);
  expect(reads.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(elapsedMs / 50 + 1);
});

test('without a runtime directory, a waiter polls', async () => {
  vi.stubEnv('RQ_RUNTIME_DIR', '/proc/none');
  watched(500);
  const startMs = performance.now();
  await commit();
  expect(await changes.next(NEVER_MS)).toBe(true);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(500);
});

test('a database that replaced another one is watched, too', async () => {
  watched(50);
  const other = await newQueue();
  renameSync(other.database, queue.database);
  other.close();
  queue.close();
  expect(await changes.next(NEVER_MS)).toBe(true);
  const slow = watched(NEVER_MS);
  await commit();
  expect(await slow.next(NEVER_MS)).toBe(true);
});

test('a wait ends when it is stopped, and no further one begins', async () => {
  watched(NEVER_MS);
  const waiting = changes.next(NEVER_MS);
  changes.stop();
  expect(await waiting).toBe(false);
  expect(await changes.next(NEVER_MS)).toBe(false);
});
