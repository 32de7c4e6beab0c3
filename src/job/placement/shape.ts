import { parseJson } from '../printable.ts';
import { parseLanes } from './lanes.ts';
import { parseNeeds, type Resources } from './needs.ts';

/** What a job requests of a host and of the queue. Jobs with equal requests have one shape. */
export interface Shape {
  readonly owner: string;
  /** The hosts that may run it, as in the column `runners`. Null is any host. */
  readonly runners: string | null;
  readonly cpus: number;
  /** In bytes, rounded up. 0 is no reservation. */
  readonly memory: number;
  readonly gpus: number;
  readonly needs: Resources;
  readonly lanes: readonly string[];
  /** The array of the task, if it has a limit. */
  readonly array: LimitedArray | null;
}

export interface LimitedArray {
  /** The jid of its first task. */
  readonly jid: number;
  /** How many of its tasks may run at the same time; null without a limit. */
  readonly atMost: number | null;
  /** Failures of its tasks stop it. */
  readonly canStop: boolean;
}

/** The columns of a job that decide its shape. */
export interface Requests {
  readonly owner: string;
  readonly runners: string | null;
  readonly cpus: number | null;
  readonly memory: number | null;
  readonly gpus: number | null;
  readonly needs: string | null;
  readonly lanes: string | null;
}

/** The number of steps between two powers of two to which memory is rounded up, so that there are few shapes. */
const MEMORY_STEPS = 16;

const NO_REQUESTS: Omit<Shape, 'owner'> = {
  runners: null,
  cpus: 1,
  memory: 0,
  gpus: 0,
  needs: {},
  lanes: [],
  array: null,
};
const NAMES = Object.keys(NO_REQUESTS) as (keyof typeof NO_REQUESTS)[];

export function shapeOf(job: Requests, array: LimitedArray | null): Shape {
  const { owner, runners, cpus, memory, gpus, needs, lanes } = job;
  return {
    owner,
    runners,
    cpus: cpus ?? 1,
    memory: roundedMemory(memory ?? 0),
    gpus: gpus ?? 0,
    needs: parseNeeds(needs),
    lanes: parseLanes(lanes),
    array: array === null || (array.atMost === null && !array.canStop) ? null : array,
  };
}

/** The shape as JSON, without what is not requested. Equal shapes have equal texts. */
export function shapeText(shape: Shape): string {
  const requested = NAMES.filter((name) => JSON.stringify(shape[name]) !== JSON.stringify(NO_REQUESTS[name]));
  return JSON.stringify(Object.fromEntries([['owner', shape.owner], ...requested.map((name) => [name, shape[name]])]));
}

/** The shape of such a text. Requests that are missing, as in a row that SQL of a user wrote, are none. */
export function parseShape(text: string): Shape {
  const value = parseJson(text);
  return { owner: '', ...NO_REQUESTS, ...(typeof value === 'object' ? value : null) };
}

/** A host may claim jobs of the shape before it has a free slot for them. */
export function mayBeAhead({ cpus, gpus, lanes, array }: Shape): boolean {
  return cpus === 1 && gpus === 0 && lanes.length === 0 && array === null;
}

function roundedMemory(bytes: number): number {
  if (bytes === 0) return 0;
  const step = 2 ** Math.floor(Math.log2(bytes)) / MEMORY_STEPS;
  return Math.ceil(bytes / step) * step;
}
