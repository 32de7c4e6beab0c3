import type { WaitingJob } from '../../src/job/job.ts';
import type { Limits } from '../../src/job/placement/room.ts';
import { type Shape, shapeOf } from '../../src/job/placement/shape.ts';
import { capacityOf, freeOf } from '../../src/job/placement/why/capacity.ts';
import type { HostFacts, Need, Parent, QueueFacts, Turn, WaitingFacts } from '../../src/job/placement/why/facts.ts';
import { hostMatcher } from '../../src/job/placement/why/host-matcher.ts';
import { submission } from './queue.ts';

/** A moment of 2 January 2026 in local time, as ISO 8601 in UTC. The second day of the year has a yesterday in the same year. */
export function at(hours: number, minutes: number, day = 2): string {
  return new Date(2026, 0, day, hours, minutes).toISOString();
}

export const NOW = at(12, 0);

/** A pending job of ann, and what the database says about it. */
export function waitingJob(
  fields: Partial<WaitingJob> = {},
  { array = null, ...facts }: Partial<WaitingFacts> & { readonly array?: Shape['array'] } = {},
): WaitingFacts {
  const { stage: _, ...submitted } = submission('true', {});
  const own = {
    jid: 80,
    submitted: NOW,
    submitter: 'n1',
    owner: 'ann',
    attempt: 0,
    paused: null,
    stdout: null,
    stderr: null,
  };
  const place = { array: null, index: null, for: null };
  const job: WaitingJob = { ...submitted, ...own, ...place, state: 'pending', ...fields };
  const shape = shapeOf(job, array);
  return {
    job,
    shape,
    isValid: true,
    gate: undefined,
    failures: {},
    tries: 0,
    reservation: undefined,
    turnOn: () => turn(),
    ...facts,
  };
}

/** A turn on a host that would not claim the job now. */
export function turn(facts: Partial<Turn> = {}): Turn {
  return { isNext: false, keptFor: undefined, before: 0, isMore: false, ...facts };
}

/** A host that feeds, with the running jobs 90 and 91 on as many cpus as are taken. */
export function hostFacts(
  host: string,
  node: Readonly<Record<string, string>>,
  { taken = 0, ...facts }: Partial<HostFacts> & { readonly taken?: number } = {},
): HostFacts {
  const capacity = capacityOf(node);
  const free = freeOf(capacity, [{ cpus: taken, memory: 0, gpus: 0, needs: {} }]);
  const running = taken === 0 ? [] : [90, 91].slice(0, taken);
  return { host, isFeeding: true, lastHeartbeat: NOW, capacity, free, running, drained: undefined, ...facts };
}

/** A host that has not fed since 22:10 of the day before. */
export function silentHost(host: string, node: Readonly<Record<string, string>> = { slots: '64' }): HostFacts {
  return hostFacts(host, node, { isFeeding: false, lastHeartbeat: at(22, 10, 1) });
}

/** A queue without limits. */
export function queueFacts(hosts: readonly HostFacts[], limits: Partial<Limits> = {}): QueueFacts {
  const usage = { lanes: new Map<string, number>(), arrays: new Map<number, number>(), owners: new Map() };
  return {
    now: NOW,
    serverNow: NOW,
    hosts,
    mayRun: hostMatcher(),
    limits: {
      maxPerUser: null,
      isFair: false,
      usage: () => usage,
      isPaused: () => false,
      maxOf: () => null,
      isStopped: () => false,
      ...limits,
    },
    maxFails: new Map([[17, 3]]),
  };
}

/** A dependency on a job in a state; without one, on a deleted job. */
export function need(jid: number, parent?: Partial<Parent>, kind: Need['kind'] = 'ok'): Need {
  const none = { exit_status: null, signal: null, reason: null, runner: null, started: null, finished: null };
  return { jid, kind, parent: parent === undefined ? undefined : { jid, state: 'pending', ...none, ...parent } };
}
