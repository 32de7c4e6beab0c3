import { RqError } from '../../job/errors.ts';
import type { FoundGpus, Vendor } from './find-gpus.ts';
import { deviceOf } from './find-gpus.ts';
import type { GpuChoice } from './gpu-choice.ts';

/** The GPUs that a feeder gives to jobs. */
export interface SelectedGpus {
  readonly vendor: Vendor;
  readonly devices: readonly string[];
}

/**
 * The GPUs of the host that the choice selects; undefined if rq leaves the GPUs alone. On a host without known GPUs, those
 * of a choice are taken as given. Throws INVALID_INPUT for GPUs that the host does not have.
 */
export function selectGpus(choice: GpuChoice, { vendor, devices, visible }: FoundGpus): SelectedGpus | undefined {
  switch (choice.kind) {
    case 'none':
      return undefined;
    case 'all':
      return devices.length === 0 ? undefined : { vendor, devices: visible };
    case 'count':
      if (devices.length === 0) return { vendor, devices: indices(choice.count) };
      if (choice.count > visible.length) throw tooMany(choice.count, visible.length, devices.length);
      return { vendor, devices: visible.slice(0, choice.count) };
    case 'list':
      return { vendor, devices: devices.length === 0 ? choice.names : namedDevices(choice.names, devices) };
  }
}

function indices(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

function namedDevices(names: readonly string[], devices: readonly string[]): string[] {
  const named = names.map((name) => {
    const device = deviceOf(devices, name);
    if (device !== undefined) return device;
    throw new RqError(
      'INVALID_INPUT',
      `cannot feed with --gpus ${names.join(',')}: this host has no GPU ${name}; its GPUs are ${devices.join(', ')}`,
    );
  });
  const twice = named.find((device, index) => named.indexOf(device) < index);
  if (twice === undefined) return named;
  throw new RqError('INVALID_INPUT', `cannot feed with --gpus ${names.join(',')}: it names ${twice} twice`);
}

function tooMany(count: number, visible: number, present: number): RqError {
  const shown =
    visible === present
      ? `this host has ${present}`
      : `CUDA_VISIBLE_DEVICES or ROCR_VISIBLE_DEVICES permits only ${visible} of ${present}`;
  return new RqError('INVALID_INPUT', `cannot feed with --gpus ${count}: ${shown}; give a smaller number`);
}
