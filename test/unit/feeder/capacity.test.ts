import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HostCapacity } from '../../../src/feeder/host/capacity.ts';
import type { HostResources } from '../../../src/feeder/host/resources.ts';
import type { Holding } from '../../../src/job/placement/holding.ts';

const HOST: HostResources = {
  cpus: 8,
  memory: 1000,
  gpus: { devices: ['a', 'b', 'c'] },
  have: { licence: 3, port: 1 },
};
const NOTHING: Holding = { cpus: 0, memory: 0, gpus: 0, devices: [], resources: {} };

function capacity(holdings: readonly Partial<Holding>[], host = HOST, keepsDevices = true): HostCapacity {
  const attempts = { holdings: holdings.map((each) => ({ ...NOTHING, ...each })) };
  return new HostCapacity(host, { attempts, link: { keepsDevices } });
}

test('a host without attempts has everything free', () => {
  expect(capacity([]).free()).toEqual({ cpus: 8, memory: 1000, gpus: 3, resources: { licence: 3, port: 1 } });
});

test('what attempts hold is not free, also GPUs that claimed jobs have not got yet', () => {
  const { free, devices } = bound(
    capacity([
      { cpus: 2, memory: 300, gpus: 1, devices: ['b'] },
      { cpus: 1, gpus: 1, resources: { licence: 2, other: 1 } },
    ]),
  );
  expect(free()).toEqual({ cpus: 5, memory: 700, gpus: 1, resources: { licence: 1, port: 1 } });
  expect([devices(0), devices(1), devices(2), devices(3)]).toEqual([[], ['a'], ['a', 'c'], undefined]);
});

function bound(of: HostCapacity): Pick<HostCapacity, 'free' | 'devices'> {
  return { free: () => of.free(), devices: (count) => of.devices(count) };
}

test('numbers are negative if attempts of an earlier feeder hold more than the host has now', () => {
  const less: HostResources = { cpus: 1, memory: 100, gpus: { devices: ['a'] }, have: {} };
  const of = capacity([{ cpus: 2, memory: 300, gpus: 2, devices: ['a', 'b'], resources: { licence: 1 } }], less);
  expect(of.free()).toEqual({ cpus: -1, memory: -200, gpus: 0, resources: {} });
});

test('a host whose GPUs rq leaves alone, and one whose runner does not record GPUs, have none', () => {
  expect(capacity([], { ...HOST, gpus: undefined }).free().gpus).toBe(0);
  const old = capacity([], HOST, false);
  expect([old.free().gpus, old.devices(1), old.devices(0)]).toEqual([0, undefined, []]);
});

test('GPUs that are given one after the other are distinct, and as many as are free', () => {
  const requests = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 });
  fc.assert(
    fc.property(requests, (counts) => {
      const held: Holding[] = [];
      const of = new HostCapacity(HOST, { attempts: { holdings: held }, link: { keepsDevices: true } });
      for (const count of counts) {
        const { gpus } = of.free();
        const devices = of.devices(count);
        expect(devices !== undefined).toBe(gpus >= count);
        if (devices !== undefined) held.push({ ...NOTHING, gpus: count, devices });
      }
      const given = held.flatMap(({ devices }) => devices);
      expect(new Set(given).size).toBe(given.length);
    }),
  );
});
