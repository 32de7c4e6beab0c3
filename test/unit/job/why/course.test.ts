import { expect, test } from 'vitest';
import type { DeadJob, FinishedJob, RunningJob } from '../../../../src/job/job.ts';
import { courseSentences } from '../../../../src/job/placement/why/course.ts';
import type { CourseFacts, Parent } from '../../../../src/job/placement/why/facts.ts';
import { at, hostFacts, need, queueFacts, silentHost, waitingJob } from '../../../support/why-facts.ts';

const QUEUE = queueFacts([hostFacts('n2', { slots: '8' }), silentHost('n7')]);
const { state: _, ...BASE } = waitingJob().job;
const CLAIMED = { ...BASE, started: at(10, 3), runner: 'n2', pid: 7, devices: null, attempt: 1 };
const ENDED = {
  ...CLAIMED,
  ...{ finished: at(10, 5), elapsed: 90.2, exit_status: null, signal: null, reason: null, left_behind: null },
  ...{ max_rss: null, cpu_time: null },
};
const KILL = { by: 'ann on n3', at: at(10, 4), reason: null, grace: 30 };

function course(job: CourseFacts['job'], facts: Partial<CourseFacts> = {}): readonly string[] {
  return courseSentences({ job, kill: undefined, diedOf: undefined, isLost: false, ...facts }, QUEUE);
}

function running(fields: Partial<RunningJob> = {}): RunningJob {
  return { ...CLAIMED, state: 'running', ...fields };
}

function finished(fields: Partial<FinishedJob>): FinishedJob {
  return { ...ENDED, state: 'finished', ...fields };
}

function dead(fields: Partial<DeadJob> & { reason: string }): DeadJob {
  return { ...ENDED, state: 'dead', elapsed: null, ...fields };
}

test('a running job says where and since when it runs, and what keeps it from ending', () => {
  expect(course(running())).toEqual(['running on n2 since 10:03']);
  expect(course(running({ paused: true }))).toEqual(['running on n2 since 10:03', 'paused']);
  const killed = ['running on n2 since 10:03', 'killed by ann on n3 at 10:04; its host ends it'];
  expect(course(running(), { kill: KILL })).toEqual(killed);
  const silent = ['running on n7 since 2025-12-28 09:00', 'n7 has not fed since yesterday 22:10'];
  expect(course(running({ runner: 'n7', started: at(9, 0, -3) }))).toEqual(silent);
  expect(course(running({ runner: 'gone' }))).toEqual(['running on gone since 10:03']);
});

test.each([
  [finished({ exit_status: 0 }), 'finished with exit status 0 on n2 at 10:05 (after 1m30s)'],
  [finished({ exit_status: 3 }), 'failed with exit status 3 on n2 at 10:05 (after 1m30s)'],
  [finished({ signal: 'SIGKILL', elapsed: 0.25 }), 'ended by SIGKILL on n2 at 10:05 (after 0.3s)'],
  [
    finished({ exit_status: 0, reason: 'time limit of 2h' }),
    'failed with exit status 0 on n2 at 10:05: time limit of 2h (after 1m30s)',
  ],
  [
    finished({ signal: 'SIGTERM', reason: 'killed by ann on n3: wrong file' }),
    'ended by SIGTERM on n2 at 10:05: killed by ann on n3: wrong file (after 1m30s)',
  ],
  [finished({ exit_status: 1, attempt: 3, elapsed: null }), 'failed with exit status 1 on n2 at 10:05 (in attempt 3)'],
  [dead({ reason: 'killed before it began, by ann on n3' }), 'dead since 10:05: killed before it began, by ann on n3'],
])('%#: a job that ended says how', (job, sentence) => {
  expect(course(job)).toEqual([sentence]);
});

test('a job that is dead because of a dependency says how that one ended', () => {
  const { parent } = need(41, {
    ...{ state: 'finished', exit_status: 1, runner: 'n1', started: at(9, 0), finished: at(9, 58) },
  }) as { parent: Parent };
  const sentences = ['dead since 10:05: needs 41, which failed', '41 failed with exit status 1 on n1 at 09:58'];
  expect(course(dead({ reason: 'needs 41, which failed' }), { diedOf: parent })).toEqual(sentences);
});

test('a lost job says that its host may still report the end', () => {
  expect(course(dead({ reason: 'the host n2 sent no heartbeat for 900 s' }), { isLost: true })).toEqual([
    'dead since 10:05: the host n2 sent no heartbeat for 900 s',
    'if n2 comes back, the real end of the job replaces this state',
  ]);
});
