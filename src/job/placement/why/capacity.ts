import { roundedSizeText } from '../../quantities/size.ts';
import { parseNeeds, type Resources } from '../needs.ts';
import type { HostRoom } from '../room.ts';
import type { Shape } from '../shape.ts';
import { counted, enumerated } from './phrases.ts';

/** What a host has for jobs, or what is free of it. */
export type Capacity = Omit<HostRoom, 'ahead' | 'total'>;

/** The requests of a job that a host satisfies. */
type Sizes = Pick<Shape, 'cpus' | 'memory' | 'gpus' | 'needs'>;

const KINDS = ['cpus', 'memory', 'gpus', 'resource'] as const;

/** A request that exceeds what there is. */
export interface Shortage {
  readonly kind: (typeof KINDS)[number];
  /** Of a resource. */
  readonly name: string;
  readonly requested: number;
  readonly available: number;
}

/** A host about which rq knows nothing. */
export const UNKNOWN_CAPACITY: Capacity = {
  cpus: Number.POSITIVE_INFINITY,
  memory: null,
  gpus: Number.POSITIVE_INFINITY,
  resources: {},
};

/**
 * What a host has, by the file of its node. A feeder of an earlier version writes only its slots, and a damaged file may
 * contain any text.
 */
export function capacityOf({ cpus, slots, memory, gpus, have }: Readonly<Record<string, string>>): Capacity {
  return {
    cpus: wholeNumber(cpus) ?? wholeNumber(slots) ?? UNKNOWN_CAPACITY.cpus,
    memory: wholeNumber(memory) ?? null,
    gpus: wholeNumber(gpus) ?? 0,
    resources: parseNeeds(have ?? null),
  };
}

function wholeNumber(text: string | undefined): number | undefined {
  const number = Number(text === '' ? undefined : text);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** What is left of a capacity while jobs take these sizes. */
export function freeOf(capacity: Capacity, taken: readonly Sizes[]): HostRoom {
  const sum = (of: (each: Sizes) => number): number => taken.reduce((total, each) => total + of(each), 0);
  const left: Resources = Object.fromEntries(
    Object.entries(capacity.resources).map(([name, count]) => [name, count - sum(({ needs }) => needs[name] ?? 0)]),
  );
  return {
    cpus: Math.max(0, capacity.cpus - sum(({ cpus }) => cpus)),
    ahead: 0,
    memory: capacity.memory === null ? null : capacity.memory - sum(({ memory }) => memory),
    gpus: capacity.gpus - sum(({ gpus }) => gpus),
    resources: left,
    total: capacity,
  };
}

/** The requests that exceed a capacity. */
export function shortagesOf({ cpus, memory, gpus, needs }: Sizes, capacity: Capacity): Shortage[] {
  const requests: Shortage[] = [
    { kind: 'cpus', name: '', requested: cpus, available: capacity.cpus },
    { kind: 'memory', name: '', requested: memory, available: capacity.memory ?? Number.POSITIVE_INFINITY },
    { kind: 'gpus', name: '', requested: gpus, available: capacity.gpus },
    ...Object.entries(needs).map(([name, requested]): Shortage => {
      return { kind: 'resource', name, requested, available: capacity.resources[name] ?? 0 };
    }),
  ];
  return requests.filter(({ requested, available }) => requested > available);
}

/** Every request that exceeds what a host has, once, in the order of `shortagesOf`. */
export function mergedShortages(lists: readonly (readonly Shortage[])[]): Shortage[] {
  const merged = new Map(lists.flat().map((each) => [shortageKey(each), each]));
  return [...merged.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}

/** Distinguishes the requests of a job. */
export function shortageKey({ kind, name }: Pick<Shortage, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** A requested size: `4 cpus`, `64G of memory`, `2 GPUs`, `licence=2`. */
export function sizeText({ kind, name }: Pick<Shortage, 'kind' | 'name'>, size: number): string {
  switch (kind) {
    case 'cpus':
      return counted(size, 'cpu');
    case 'memory':
      return `${roundedSizeText(size).replace('.0', '')} of memory`;
    case 'gpus':
      return counted(size, 'GPU');
    case 'resource':
      return `${name}=${size}`;
  }
}

/** The requests of a list of shortages: `4 cpus and 2 GPUs`. */
export function requestedText(shortages: readonly Shortage[]): string {
  return enumerated(shortages.map((each) => sizeText(each, each.requested)));
}
