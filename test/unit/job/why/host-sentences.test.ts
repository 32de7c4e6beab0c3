import { describe, expect, test } from 'vitest';
import type { WaitingJob } from '../../../../src/job/job.ts';
import { explain } from '../../../../src/job/placement/why/explain.ts';
import type { HostFacts, WaitingFacts } from '../../../../src/job/placement/why/facts.ts';
import { at, hostFacts, queueFacts, silentHost, turn, waitingJob } from '../../../support/why-facts.ts';

const GIB = 2 ** 30;
const N1 = hostFacts('n1', { slots: '16' });
/** All of its 8 cpus are taken. */
const N2 = hostFacts('n2', { slots: '8' }, { taken: 8 });
const BIG = hostFacts('big', { cpus: '32', memory: String(64 * GIB), gpus: '2', have: 'licence=1' });
const drained = { by: 'ann on n1', reason: 'new disk' };

function why(waiting: WaitingFacts, ...hosts: HostFacts[]): readonly string[] {
  return explain(waiting, queueFacts(hosts)).why;
}

describe('without a host that feeds and may run it, a job', () => {
  test.each<[string, Partial<WaitingJob>, HostFacts[]]>([
    ['no host feeds from this queue', {}, []],
    ['no host feeds from this queue', {}, [silentHost('n7')]],
    ['no host feeds from this queue', { runners: 'n7' }, [silentHost('n7')]],
    ['only n7 may run it, and n7 has not fed since yesterday 22:10', { runners: 'n7' }, [N1, silentHost('n7')]],
    ['only n7 may run it, and n7 does not feed from this queue', { runners: 'n7' }, [N1]],
    ['only n7, n8 may run it, and none of them feeds', { runners: 'n7,n8' }, [N1, silentHost('n7')]],
    ['only gpu* may run it, and no such host feeds from this queue', { runners: 'gpu*' }, [N1]],
    ['only gpu* may run it, and gpu1 has not fed since yesterday 22:10', { runners: 'gpu*' }, [N1, silentHost('gpu1')]],
  ])('says: %s', (sentence, fields, hosts) => {
    expect(why(waitingJob(fields), ...hosts)).toEqual([sentence]);
  });
});

describe('a job that is too large for every host that feeds', () => {
  test.each<[string, Partial<WaitingJob>, HostFacts[]]>([
    ['asks for 32 cpus; the largest host that feeds has 16: never', { cpus: 32 }, [N1, N2]],
    [
      'asks for 32 cpus; the largest host that feeds and may run it has 8: never',
      { cpus: 32, runners: 'n2' },
      [N1, N2],
    ],
    ['asks for 96G of memory; the largest host that feeds has 64G of memory: never', { memory: 96 * GIB }, [BIG]],
    ['asks for 1 GPU; no host that feeds has a GPU: never', { gpus: 1 }, [N1]],
    ['asks for 4 GPUs; no host that feeds has more than 2 GPUs: never', { gpus: 4 }, [BIG]],
    ['asks for licence=2; no host that feeds has more than licence=1: never', { needs: 'licence=2' }, [BIG]],
    ['asks for port=1; no host that feeds has port: never', { needs: 'port=1' }, [BIG, N1]],
    [
      'asks for 9 cpus and 1 GPU; no host that feeds has all of this: never',
      { cpus: 9, gpus: 1 },
      [N1, hostFacts('small', { cpus: '4', gpus: '1' })],
    ],
    [
      'asks for 64 cpus, which only n7 has, and n7 has not fed since yesterday 22:10',
      { cpus: 64 },
      [N1, silentHost('n7', { slots: '64' })],
    ],
    [
      'asks for 64 cpus, which only n7, n8 have, and none of them feeds',
      { cpus: 64 },
      [N1, silentHost('n7'), silentHost('n8')],
    ],
  ])('says: %s', (sentence, fields, hosts) => {
    expect(why(waitingJob(fields), ...hosts)).toEqual([sentence]);
  });
});

describe('on drained hosts, a job', () => {
  test.each<[string, HostFacts[]]>([
    ['n1, the only host that feeds, is drained by ann on n1: new disk', [{ ...N1, drained }]],
    ['n1, the only host that can run it, is drained by ann on n1: new disk', [{ ...N1, drained }, N2]],
    [
      'all hosts that feed are drained: n1 (by ann on n1: new disk), big (by bob on n3)',
      [
        { ...N1, drained },
        { ...BIG, drained: { by: 'bob on n3', reason: null } },
      ],
    ],
    [
      'the hosts that can run it are drained: n1 (by ann on n1: new disk), big (by ann on n1: new disk)',
      [{ ...N1, drained }, { ...BIG, drained }, N2],
    ],
  ])('says: %s', (sentence, hosts) => {
    expect(why(waitingJob({ cpus: 16 }), ...hosts)).toEqual([sentence]);
  });
});

describe('a job that waits for a free place', () => {
  test.each<[string, Partial<WaitingJob>, HostFacts[]]>([
    ['fits n2 when 4 cpus are free there (jobs 90, 91 run)', { cpus: 4 }, [N2]],
    ['fits n2 when 1 cpu is free there (jobs 90, 91 run)', {}, [N2]],
    ['fits one when 1 cpu is free there (job 90 runs)', {}, [hostFacts('one', { slots: '1' }, { taken: 1 })]],
    ['fits n2 when 1 cpu is free there', {}, [{ ...N2, running: [] }]],
    [
      'fits n2 when 1 cpu is free there (jobs 1, 2, 3, 4, 5 and 2 more run)',
      {},
      [{ ...N2, running: [1, 2, 3, 4, 5, 6, 7] }],
    ],
    ['fits big when 48G of memory is free there', { memory: 48 * GIB }, [withFree(BIG, { memory: 16 * GIB })]],
    ['fits big when 2 GPUs are free there', { gpus: 2 }, [withFree(BIG, { gpus: 1 })]],
    ['fits big when licence=1 is free there', { needs: 'licence=1' }, [withFree(BIG, { resources: { licence: 0 } })]],
    ['fits big when 8 cpus and 2 GPUs are free there', { cpus: 8, gpus: 2 }, [withFree(BIG, { gpus: 1, cpus: 4 })]],
  ])('says: %s', (sentence, fields, hosts) => {
    expect(why(waitingJob(fields), ...hosts)).toEqual([sentence]);
  });

  test('names the host that lacks least', () => {
    const n3 = hostFacts('n3', { slots: '8' }, { taken: 5 });
    expect(why(waitingJob({ cpus: 4 }), N2, n3)).toEqual(['fits n3 when 4 cpus are free there (jobs 90, 91 run)']);
  });

  test('waits for a host with the size, and not for the others', () => {
    expect(why(waitingJob({ cpus: 12 }), N2, hostFacts('n1', { slots: '16' }, { taken: 16 }))).toEqual([
      'fits n1 when 12 cpus are free there (jobs 90, 91 run)',
    ]);
  });

  test('says how many jobs go first there, and that places are kept for it', () => {
    const turnOn = (): ReturnType<typeof turn> => turn({ before: 12 });
    const reservation = { host: 'n2', since: at(10, 3) };
    expect(why(waitingJob({}, { turnOn, reservation }), N2)).toEqual([
      'fits n2 when 1 cpu is free there (jobs 90, 91 run)',
      '12 jobs go first',
      'n2 keeps places free for it since 10:03',
    ]);
    const lanes = 'the next free places of its lanes are kept for it since 10:03';
    expect(why(waitingJob({}, { reservation: { ...reservation, host: null } }), N2)).toContain(lanes);
  });
});

describe('a job that fits', () => {
  test.each([
    [turn({ before: 12 }), '12 jobs go first'],
    [turn({ before: 1 }), '1 job goes first'],
    [turn({ before: 1_000, isMore: true }), 'more than 1,000 jobs go first'],
    [turn({ before: undefined }), 'jobs that go first take the free places'],
    [turn({ keptFor: 70 }), 'n1 keeps free places for job 70'],
    [turn({ isNext: true }), 'n1 can start it now'],
  ])('waits for its turn: %j', (place, sentence) => {
    expect(why(waitingJob({}, { turnOn: () => place }), N1)).toEqual([sentence]);
  });

  test('has the shortest line of all hosts', () => {
    const turnOn = (host: string): ReturnType<typeof turn> => turn({ before: host === 'n1' ? 7 : 3 });
    expect(why(waitingJob({}, { turnOn }), N1, BIG)).toEqual(['3 jobs go first']);
  });

  test('names the hosts that can start it', () => {
    const turnOn = (): ReturnType<typeof turn> => turn({ isNext: true });
    const hosts = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ ...N1, host: name }));
    expect(why(waitingJob({}, { turnOn }), ...hosts)).toEqual(['a, b, c and 2 more can start it now']);
  });

  test('waits for the next try of a host that could not start it', () => {
    const failures = { n1: { count: 1, first: at(11, 0), until: at(12, 10), reason: 'no directory /data' } };
    expect(why(waitingJob({}, { failures }), N1)).toEqual(['n1 skips it until 12:10: no directory /data']);
    const past = { n1: { ...failures.n1, until: at(11, 59) } };
    const turnOn = (): ReturnType<typeof turn> => turn({ isNext: true });
    expect(why(waitingJob({}, { failures: past, turnOn }), N1)).toEqual(['n1 can start it now']);
  });
});

test('a job that is blocked says also what a user has to change, and not what passes by itself', () => {
  const held = { state: 'holding' } as const;
  expect(why(waitingJob({ ...held, cpus: 4 }), N2)).toEqual(['held']);
  const tooLarge = 'asks for 32 cpus; the largest host that feeds has 8: never';
  expect(why(waitingJob({ ...held, cpus: 32 }), N2)).toEqual(['held', tooLarge]);
  expect(why(waitingJob(held))).toEqual(['held', 'no host feeds from this queue']);
});

function withFree(host: HostFacts, free: Partial<HostFacts['free']>): HostFacts {
  return { ...host, free: { ...host.free, ...free } };
}
