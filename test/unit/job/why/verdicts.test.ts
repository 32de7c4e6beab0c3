import { describe, expect, test } from 'vitest';
import type { WaitingJob } from '../../../../src/job/job.ts';
import { explain } from '../../../../src/job/placement/why/explain.ts';
import type { HostFacts, WaitingFacts } from '../../../../src/job/placement/why/facts.ts';
import { at, hostFacts, need, queueFacts, silentHost, turn, waitingJob } from '../../../support/why-facts.ts';

const GIB = 2 ** 30;
const N1 = hostFacts('n1', { slots: '16' });
const BIG = hostFacts('big', { cpus: '32', memory: String(64 * GIB), gpus: '2', have: 'licence=2' });
const TAKEN = { ...BIG, running: [90, 91] };
const RESOURCES = { licence: 1 };
const failures = { n1: { count: 1, first: at(11, 0), until: at(12, 10), reason: 'no directory /data' } };

function verdictOn(host: HostFacts, waiting: WaitingFacts, limits = {}): string {
  const [first] = explain(waiting, queueFacts([host], limits)).hosts;
  expect(first?.host).toBe(host.host);
  return `${first?.verdict}: ${first?.cause}`;
}

function withFree(free: Partial<HostFacts['free']>): HostFacts {
  return { ...TAKEN, free: { ...BIG.free, ...free } };
}

describe('the verdict for a host is "never"', () => {
  test.each<[string, Partial<WaitingJob>, HostFacts]>([
    ['the job may run only on n7, n8', { runners: 'n7,n8' }, N1],
    ['32 cpus requested; it has 16 cpus', { cpus: 32 }, N1],
    ['96G of memory requested; it has 64G of memory', { memory: 96 * GIB }, BIG],
    ['1 GPU requested; it has no GPU', { gpus: 1 }, N1],
    ['port=1 requested; it has no port', { needs: 'port=1' }, BIG],
    ['4 GPUs and licence=3 requested; it has 2 GPUs and licence=2', { gpus: 4, needs: 'licence=3' }, BIG],
    ['64 cpus requested; it has 16 cpus', { cpus: 64 }, silentHost('n7', { slots: '16' })],
    ['32 cpus requested; it has 16 cpus', { cpus: 32, state: 'holding' }, N1],
  ])('because %s', (cause, fields, host) => {
    expect(verdictOn(host, waitingJob(fields))).toBe(`never: ${cause}`);
  });

  test('because a dependency can no longer be met, or the array has stopped', () => {
    const gate = { needs: [need(41)], total: 1 };
    expect(verdictOn(N1, waitingJob({ state: 'holding' }, { gate }))).toBe('never: needs 41 (deleted: never)');
    const task = waitingJob({ array: 17 }, { array: { jid: 17, atMost: null, canStop: true } });
    expect(verdictOn(N1, task, { isStopped: () => true })).toBe('never: array 17 has stopped after 3 failures');
  });
});

describe('the verdict for a host is "later"', () => {
  test.each<[string, WaitingFacts, HostFacts]>([
    ['held', waitingJob({ state: 'holding' }), N1],
    ['due in 12 min', waitingJob({ due: at(12, 12) }), N1],
    ['has not fed since yesterday 22:10', waitingJob(), silentHost('n7')],
    ['drained by ann on n1: new disk', waitingJob(), { ...N1, drained: { by: 'ann on n1', reason: 'new disk' } }],
    ['drained by ann on n1', waitingJob(), { ...N1, drained: { by: 'ann on n1', reason: null } }],
    ['skips the job until 12:10: no directory /data', waitingJob({}, { failures }), N1],
    ['1 of 32 cpus is free (jobs 90, 91 run)', waitingJob({ cpus: 2 }), withFree({ cpus: 1 })],
    ['3 of 32 cpus are free (jobs 90, 91 run)', waitingJob({ cpus: 4 }), withFree({ cpus: 3 })],
    [
      '16G of 64G of memory is free (jobs 90, 91 run)',
      waitingJob({ memory: 32 * GIB }),
      withFree({ memory: 16 * GIB }),
    ],
    ['0 of 2 GPUs are free (jobs 90, 91 run)', waitingJob({ gpus: 1 }), withFree({ gpus: 0 })],
    [
      '1 of licence=2 is free (jobs 90, 91 run)',
      waitingJob({ needs: 'licence=2' }),
      withFree({ resources: RESOURCES }),
    ],
    [
      '0 of 32 cpus and 0 of 2 GPUs are free (jobs 90, 91 run); 12 jobs go first',
      waitingJob({ gpus: 1 }, { turnOn: () => turn({ before: 12 }) }),
      withFree({ cpus: 0, gpus: 0 }),
    ],
    ['12 jobs go first', waitingJob({}, { turnOn: () => turn({ before: 12 }) }), N1],
    ['keeps free places for job 70', waitingJob({}, { turnOn: () => turn({ keptFor: 70 }) }), N1],
    ['other jobs go first', waitingJob(), N1],
  ])('because %s', (cause, waiting, host) => {
    expect(verdictOn(host, waiting)).toBe(`later: ${cause}`);
  });

  test('because a lane is full', () => {
    const usage = { lanes: new Map([['gpu', 4]]), arrays: new Map(), owners: new Map() };
    const limits = { usage: () => usage, maxOf: () => 4 };
    expect(verdictOn(N1, waitingJob({ lanes: 'gpu' }), limits)).toBe('later: lane gpu is full (4 of 4)');
  });

  test('for a host that the job names and that has no file', () => {
    const { hosts } = explain(waitingJob({ runners: 'n1,n7' }), queueFacts([N1]));
    expect(hosts).toEqual([
      { host: 'n1', verdict: 'later', cause: 'other jobs go first' },
      { host: 'n7', verdict: 'later', cause: 'does not feed from this queue' },
    ]);
  });
});

test('the verdict is "now" if the host would claim the job, without a cause', () => {
  const waiting = waitingJob({}, { turnOn: () => turn({ isNext: true }) });
  expect(explain(waiting, queueFacts([N1])).hosts).toEqual([{ host: 'n1', verdict: 'now', cause: undefined }]);
});
