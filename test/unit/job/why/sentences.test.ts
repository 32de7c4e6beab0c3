import { describe, expect, test } from 'vitest';
import { explain } from '../../../../src/job/placement/why/explain.ts';
import type { Gate, HostFacts, Need } from '../../../../src/job/placement/why/facts.ts';
import { at, hostFacts, NOW, need, queueFacts, turn, waitingJob } from '../../../support/why-facts.ts';

const N1 = hostFacts('n1', { slots: '16' });
const LATER = at(12, 12);
const next = { turnOn: () => turn({ isNext: true }) };

function why(waiting: ReturnType<typeof waitingJob>, hosts: readonly HostFacts[], limits = {}): readonly string[] {
  return explain(waiting, queueFacts(hosts, limits)).why;
}

function gate(...needs: Need[]): { gate: Gate } {
  return { gate: { needs, total: needs.length } };
}

describe('a job that no host may claim yet', () => {
  test('is held', () => {
    expect(why(waitingJob({ state: 'holding' }), [N1])).toEqual(['held']);
  });

  test.each([
    [at(12, 12), 'due in 12 min'],
    [new Date(Date.parse(NOW) + 40_000).toISOString(), 'due in 40 s'],
    [at(22, 0), 'due in 10 h'],
    [at(12, 0, 9), 'due in 7 days'],
  ])('is due later: %s', (due, sentence) => {
    expect(why(waitingJob({ due }), [N1])).toEqual([sentence]);
  });

  test('has a text that no host reads', () => {
    const sentence = 'a text of the job is longer than rq accepts: never';
    expect(why(waitingJob({}, { isValid: false }), [N1])).toEqual([sentence]);
  });

  test('waits for its retry', () => {
    expect(why(waitingJob({ due: LATER, retries: 3 }, { tries: 2 }), [N1])).toEqual(['retry 2 of 3 is due in 12 min']);
  });

  test('that has become due waits for its turn like others', () => {
    expect(why(waitingJob({ due: NOW }, next), [N1])).toEqual(['n1 can start it now']);
  });

  test('has several reasons, which are all given', () => {
    const waiting = waitingJob({ state: 'holding', due: LATER, lanes: 'gpu' }, gate(need(41)));
    const sentences = ['held', 'needs 41 (deleted: never)', 'due in 12 min', 'lane gpu is paused'];
    expect(why(waiting, [N1], { isPaused: () => true })).toEqual(sentences);
  });
});

describe('a job with dependencies', () => {
  const finished = { state: 'finished', exit_status: 0 } as const;
  const failed = { state: 'finished', exit_status: 1 } as const;

  test.each<[Need, string]>([
    [need(41, { state: 'running', runner: 'n2', started: at(10, 3) }), 'needs 41 (running on n2 since 10:03)'],
    [need(41, { state: 'pending' }), 'needs 41 (pending)'],
    [need(41, { state: 'holding' }), 'needs 41 (held)'],
    [need(42, failed), 'needs 42 (failed: never)'],
    [need(42, { state: 'dead', reason: 'lost' }), 'needs 42 (failed: never)'],
    [need(42, { ...finished, reason: 'time limit of 2h' }), 'needs 42 (failed: never)'],
    [need(42), 'needs 42 (deleted: never)'],
    [need(43, { state: 'pending' }, 'any'), 'needs the end of 43 (pending)'],
    [need(44, { state: 'pending' }, 'failed'), 'needs the failure of 44 (pending)'],
    [need(44, finished, 'failed'), 'needs the failure of 44 (succeeded: never)'],
  ])('%j', (one, sentence) => {
    expect(why(waitingJob({}, gate(one)), [N1])).toEqual([sentence]);
  });

  test('that a recovery has lost says how to set them again', () => {
    const sentence =
      'its dependencies were lost when the database was recovered; set them again with: update JID after=…';
    expect(why(waitingJob({}, gate(need(0), need(41, { state: 'pending' }))), [N1])).toEqual([sentence]);
  });

  test.each<Need>([
    need(41, finished),
    need(43, failed, 'any'),
    need(44, failed, 'failed'),
    need(45, undefined, 'any'),
  ])('that is met waits for the exchange that records it: %j', (one) => {
    const sentence = 'its dependencies are met; it can start after the next exchange of a feeder';
    expect(why(waitingJob({}, gate(one)), [N1])).toEqual([sentence]);
  });

  test('names those first that can no longer be met, and the number of those that it does not list', () => {
    const needs = [need(41, { state: 'pending' }), need(42, failed), need(43, finished)];
    const { why: sentences } = explain(waitingJob({}, { gate: { needs, total: 12 } }), queueFacts([N1]));
    expect(sentences).toEqual(['needs 42 (failed: never), 41 (pending), 43 (succeeded) and 9 more']);
    const many = waitingJob({}, { gate: { needs: needs.slice(0, 1), total: 1_001 } });
    expect(why(many, [N1])).toEqual(['needs 41 (pending) and more than 995 more']);
  });
});

describe('a job that reached a limit of the queue', () => {
  const usage = {
    lanes: new Map([['gpu', 4]]),
    arrays: new Map([[17, 8]]),
    owners: new Map([['ann', { jobs: 10, cpus: 10 }]]),
  };
  const array = { jid: 17, atMost: 8, canStop: true };

  test.each([
    [waitingJob({ lanes: 'gpu' }), { maxOf: () => 4 }, 'lane gpu is full (4 of 4)'],
    [waitingJob({ lanes: 'disk,gpu' }), { isPaused: (lane: string) => lane === 'disk' }, 'lane disk is paused'],
    [waitingJob({ array: 17 }, { array }), {}, 'array 17 is full (8 of 8)'],
    [waitingJob({ array: 17 }, { array }), { isStopped: () => true }, 'array 17 has stopped after 3 failures: never'],
    [waitingJob(), { maxPerUser: 10 }, 'ann runs 10 jobs (max_per_user is 10)'],
  ])('%#: %j', (waiting, limits, sentence) => {
    expect(why(waiting, [N1], { usage: () => usage, ...limits })).toEqual([sentence]);
  });

  test('in two lanes names both', () => {
    const limits = { usage: () => usage, maxOf: () => 4, isPaused: (lane: string) => lane === 'disk' };
    const sentences = ['lane disk is paused', 'lane gpu is full (4 of 4)'];
    expect(why(waitingJob({ lanes: 'disk,gpu' }), [N1], limits)).toEqual(sentences);
  });
});
