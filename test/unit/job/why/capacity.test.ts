import { describe, expect, test } from 'vitest';
import type { WaitingJob } from '../../../../src/job/job.ts';
import { capacityOf, freeOf } from '../../../../src/job/placement/why/capacity.ts';
import { unplaceableText } from '../../../../src/job/placement/why/unplaceable.ts';
import { missingHost } from '../../../../src/job/placement/why/waits-for.ts';
import { hostFacts, silentHost, waitingJob } from '../../../support/why-facts.ts';

const N1 = hostFacts('n1', { slots: '16' });

describe('what a host has', () => {
  test.each([
    [{ slots: '8' }, { cpus: 8, memory: null, gpus: 0, resources: {} }],
    [
      { slots: '8', cpus: '16', memory: '1024' },
      { cpus: 16, memory: 1024, gpus: 0, resources: {} },
    ],
    [
      { cpus: '1', gpus: '2' },
      { cpus: 1, memory: null, gpus: 2, resources: {} },
    ],
    [
      { cpus: '1', gpus: '0', have: 'port=3,licence=2' },
      { cpus: 1, gpus: 0, resources: { licence: 2, port: 3 } },
    ],
    [
      { cpus: 'many', memory: '-1', have: 'x' },
      { cpus: Number.POSITIVE_INFINITY, memory: null, resources: {} },
    ],
    [{ cpus: '', slots: '4' }, { cpus: 4 }],
  ])('is read from the file of its node: %j', (facts, capacity) => {
    expect(capacityOf(facts)).toMatchObject(capacity);
  });

  test('is free as far as running jobs leave it', () => {
    const capacity = capacityOf({ cpus: '8', memory: '1000', gpus: '2', have: 'licence=2' });
    const taken = [
      { cpus: 3, memory: 400, gpus: 1, needs: { licence: 1 } },
      { cpus: 2, memory: 0, gpus: 0, needs: {} },
    ];
    expect(freeOf(capacity, taken)).toMatchObject({ cpus: 3, memory: 600, gpus: 1, resources: { licence: 1 } });
    // Jobs that were claimed ahead of a free slot.
    expect(
      freeOf(
        capacity,
        Array.from({ length: 9 }, () => ({ ...taken[1], cpus: 1 }) as never),
      ).cpus,
    ).toBe(0);
  });
});

test.each<[Partial<WaitingJob>, string | undefined, string | undefined]>([
  [{}, undefined, undefined],
  [{ cpus: 16 }, undefined, undefined],
  [{ cpus: 32 }, 'asks for 32 cpus; the largest host that feeds has 16', 'a host with 32 cpus'],
  [
    { gpus: 1, cpus: 17 },
    'asks for 17 cpus and 1 GPU; the largest host that feeds has 16 and no host that feeds has a GPU',
    'a host with 17 cpus and 1 GPU',
  ],
  [{ runners: 'n9' }, 'may run only on n9, and no such host feeds from this queue', 'host n9'],
  [{ runners: 'gpu*,n9' }, 'may run only on gpu*, n9, and no such host feeds from this queue', 'host gpu*, n9'],
  [{ runners: 'n7' }, undefined, 'host n7'],
  [
    { runners: 'n1', cpus: 20 },
    'asks for 20 cpus; the largest host that feeds and may run it has 16',
    'a host with 20 cpus',
  ],
])('%j: the warning of submit, and the short form', (fields, warning, short) => {
  const { shape } = waitingJob(fields);
  const hosts = [N1, silentHost('n7', { slots: '64' })];
  expect(unplaceableText(shape, hosts)).toBe(warning);
  expect(missingHost(shape, hosts)).toBe(short);
});

test('without a host that feeds, nothing is known about the size of hosts, and submit does not warn', () => {
  const { shape } = waitingJob({ cpus: 1_000, runners: 'n7' });
  expect(unplaceableText(shape, [silentHost('n7')])).toBeUndefined();
  expect(unplaceableText(shape, [])).toBeUndefined();
  expect(missingHost(waitingJob({ cpus: 1_000 }).shape, [])).toBeUndefined();
});
