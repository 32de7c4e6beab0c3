import { availableParallelism } from 'node:os';
import type { Resources } from '../../job/placement/needs.ts';
import type { HostGpus } from '../gpus/host-gpus.ts';
import { usableMemory } from './memory.ts';

/** The part of the memory that jobs may reserve, unless the user gives a size. */
const MEMORY_PART = 0.9;

/** What a host has for jobs. */
export interface HostResources {
  readonly cpus: number;
  /** In bytes. */
  readonly memory: number;
  /** Undefined if rq does not give the GPUs of the host to jobs. */
  readonly gpus: Pick<HostGpus, 'devices'> | undefined;
  /** Other resources by name. */
  readonly have: Resources;
}

/** The cpus for jobs: a number that is given, or the available processors. */
export function hostCpus(given: number | undefined): number {
  return given ?? availableParallelism();
}

/** The memory that jobs may reserve together, in bytes: a number that is given, or most of the memory of the host. */
export function hostMemory(given: number | undefined): number {
  return given ?? Math.floor(usableMemory() * MEMORY_PART);
}
