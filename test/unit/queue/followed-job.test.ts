import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Job } from '../../../src/job/job.ts';
import { type FollowEvent, FollowedJob } from '../../../src/queue/follow/followed-job.ts';
import type { Queue } from '../../../src/queue/open.ts';
import { newQueue } from '../../support/queue.ts';

let queue: Queue;
let path: string;
beforeEach(async () => {
  queue = await newQueue();
  path = join(queue.directory, 'stdout', '1');
});

function job(state: Job['state'], attempt: number, pid: number | null): Job {
  return { jid: 1, state, attempt, pid, exit_status: state === 'finished' ? 0 : null } as Job;
}

function follow(first: Job): FollowedJob {
  return new FollowedJob(queue, first, { stream: 'stdout', lines: Number.POSITIVE_INFINITY });
}

/** The kinds of the events; the text of bytes. */
function namesOf(events: Iterable<FollowEvent>): string[] {
  return [...events].map((event) => (event.kind === 'bytes' ? Buffer.from(event.bytes).toString() : event.kind));
}

test('the file of an attempt that was only claimed is not read: an earlier attempt wrote it', () => {
  writeFileSync(path, 'first\n');
  const followed = follow(job('running', 2, null));
  expect([followed.isReading, namesOf(followed.read())]).toEqual([false, []]);
  writeFileSync(path, 'second\n');
  expect(namesOf(followed.update(job('running', 2, 7)))).toEqual([]);
  expect(namesOf(followed.read())).toEqual(['second\n']);
});

test('the output of a lost job is read to its end, then from the beginning of the next attempt', () => {
  writeFileSync(path, 'first\n');
  const followed = follow(job('running', 1, null));
  expect(namesOf(followed.read())).toEqual(['first\n']);
  appendFileSync(path, 'last\n');
  expect(namesOf(followed.update(job('pending', 1, null)))).toEqual(['last\n', 'waiting']);
  expect(namesOf(followed.update(job('pending', 1, null)))).toEqual([]);
  expect(namesOf(followed.update(job('running', 2, null)))).toEqual([]);
  writeFileSync(path, 'again\n');
  expect(namesOf(followed.update(job('finished', 2, 7)))).toEqual(['restarted', 'again\n', 'ended']);
  expect(followed.isDone).toBe(true);
});

test('a truncated file is not read until the row shows whether this is a new attempt', () => {
  writeFileSync(path, 'first\n');
  const followed = follow(job('running', 1, 7));
  expect(namesOf(followed.read())).toEqual(['first\n']);
  writeFileSync(path, 'something longer\n');
  expect([namesOf(followed.read()), followed.isCut]).toEqual([[], true]);
  expect(namesOf(followed.update(job('running', 2, 8)))).toEqual(['restarted']);
  expect(namesOf(followed.read())).toEqual(['something longer\n']);
  writeFileSync(path, 'x\n');
  expect([namesOf(followed.read()), followed.isCut]).toEqual([[], true]);
  expect(namesOf(followed.update(job('running', 2, 8)))).toEqual(['cut']);
  expect(namesOf(followed.read())).toEqual(['x\n']);
});

test('a job that dies before it starts again shows no output of the earlier attempt', () => {
  writeFileSync(path, 'first\n');
  const followed = follow(job('pending', 1, null));
  expect(namesOf(followed.update(job('pending', 1, null), true))).toEqual(['waiting']);
  expect(namesOf(followed.update(job('dead', 2, null)))).toEqual(['ended']);
});

test('a job that writes a lot gives other jobs a turn after some megabytes', () => {
  writeFileSync(path, Buffer.alloc(10_000_000));
  const followed = follow(job('running', 1, 7));
  const count = (): number =>
    [...followed.read()].reduce((sum, event) => sum + (event.kind === 'bytes' ? event.bytes.length : 0), 0);
  expect([count(), followed.hasMore]).toEqual([4 * 1024 * 1024, true]);
  expect([count() + count(), followed.hasMore]).toEqual([10_000_000 - 4 * 1024 * 1024, false]);
});
