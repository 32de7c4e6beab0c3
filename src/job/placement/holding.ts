import type { RunningJob } from '../job.ts';
import { parseNeeds, type Resources } from './needs.ts';

/** What an attempt takes of its host, from its claim to its end. */
export interface Holding {
  readonly cpus: number;
  /** In bytes. 0 is no reservation. */
  readonly memory: number;
  /** The number of GPUs that it requests. */
  readonly gpus: number;
  /** The GPUs that the host gave to it; none before it is sent to the runner. */
  readonly devices: readonly string[];
  readonly resources: Resources;
}

/** What a job takes. */
export function holdingOf({
  cpus,
  memory,
  gpus,
  needs,
  devices,
}: Pick<RunningJob, 'cpus' | 'memory' | 'gpus' | 'needs' | 'devices'>): Holding {
  return {
    cpus: cpus ?? 1,
    memory: memory ?? 0,
    gpus: gpus ?? 0,
    devices: parseDevices(devices),
    resources: parseNeeds(needs),
  };
}

/** The GPUs in the column `devices`. */
export function parseDevices(devices: string | null): string[] {
  return (devices ?? '').split(',').filter((device) => device !== '');
}

/** GPUs as the column `devices` holds them. */
export function devicesText(devices: readonly string[]): string | null {
  return devices.length === 0 ? null : devices.join(',');
}
