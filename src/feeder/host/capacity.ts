import type { Holding } from '../../job/placement/holding.ts';
import type { Resources } from '../../job/placement/needs.ts';
import type { HostResources } from './resources.ts';

/** What is free on a host. Numbers are negative while attempts hold more than the host has. */
export interface FreeCapacity {
  readonly cpus: number;
  /** In bytes. */
  readonly memory: number;
  readonly gpus: number;
  readonly resources: Resources;
}

/** What a host has, and what is free of it: all that attempts hold is taken, whether they are claimed, run or are stale. */
export class HostCapacity {
  constructor(
    readonly resources: HostResources,
    private readonly parts: {
      readonly attempts: { readonly holdings: readonly Holding[] };
      /** A runner that does not record GPUs gets no job that needs one. */
      readonly link: { readonly keepsDevices: boolean };
    },
  ) {}

  /** What is free if nothing runs. */
  total(): FreeCapacity {
    const { cpus, memory, gpus, have } = this.resources;
    return { cpus, memory, gpus: gpus?.devices.length ?? 0, resources: have };
  }

  free(): FreeCapacity {
    const { cpus, memory, have } = this.resources;
    const held = this.parts.attempts.holdings;
    const left = Object.entries(have).map(([name, count]) => [
      name,
      count - sum(held.map(({ resources }) => resources[name] ?? 0)),
    ]);
    // Claimed jobs get their GPUs later.
    const promised = sum(held.map(({ gpus, devices }) => Math.max(0, gpus - devices.length)));
    return {
      cpus: cpus - sum(held.map((each) => each.cpus)),
      memory: memory - sum(held.map((each) => each.memory)),
      gpus: this.freeDevices().length - promised,
      resources: Object.fromEntries(left) as Resources,
    };
  }

  /** GPUs that no attempt has. Undefined if there are fewer than that. */
  devices(count: number): string[] | undefined {
    if (count === 0) return [];
    const free = this.freeDevices();
    return free.length < count ? undefined : free.slice(0, count);
  }

  private freeDevices(): string[] {
    const { gpus } = this.resources;
    if (gpus === undefined || !this.parts.link.keepsDevices) return [];
    const held = new Set(this.parts.attempts.holdings.flatMap(({ devices }) => devices));
    return gpus.devices.filter((device) => !held.has(device));
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
