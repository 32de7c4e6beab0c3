import { amdDevices } from './amd.ts';
import { nvidiaDevices } from './nvidia.ts';

/** `unknown`: the user has given GPUs, and rq finds none. */
export type Vendor = 'nvidia' | 'amd' | 'unknown';

/** The GPUs that were found on a host. */
export interface FoundGpus {
  readonly vendor: Vendor;
  /** In the order of their indices. */
  readonly devices: readonly string[];
  /** Those that the environment of the feeder permits, as under another scheduler. */
  readonly visible: readonly string[];
  /** Why they could not be found. */
  readonly problem?: string;
}

/** Finds the GPUs of NVIDIA, or else those of AMD. */
export async function findGpus(environment: NodeJS.ProcessEnv): Promise<FoundGpus> {
  const { devices: nvidia, problem } = await nvidiaDevices();
  if (nvidia.length > 0) return found('nvidia', nvidia, environment['CUDA_VISIBLE_DEVICES']);
  const amd = amdDevices();
  if (amd.length > 0) return found('amd', amd, environment['ROCR_VISIBLE_DEVICES']);
  return { vendor: 'unknown', devices: [], visible: [], ...(problem === undefined ? {} : { problem }) };
}

function found(vendor: Vendor, devices: readonly string[], visible: string | undefined): FoundGpus {
  return { vendor, devices, visible: visibleDevices(devices, visible) };
}

/**
 * The devices that a value of CUDA_VISIBLE_DEVICES or ROCR_VISIBLE_DEVICES names by index or by the beginning of a UUID. As
 * in CUDA and ROCm, the list ends before an invalid item. Undefined is all.
 */
export function visibleDevices(devices: readonly string[], value: string | undefined): readonly string[] {
  if (value === undefined) return devices;
  const visible: string[] = [];
  for (const item of value.split(',')) {
    const device = deviceOf(devices, item.trim());
    if (device === undefined || visible.includes(device)) break;
    visible.push(device);
  }
  return visible;
}

/** The device with this index, or whose UUID begins with this text; undefined if there is none, or more than one. */
export function deviceOf(devices: readonly string[], name: string): string | undefined {
  if (/^\d+$/.test(name)) return devices[Number(name)];
  const matches = name === '' ? [] : devices.filter((each) => each.toLowerCase().startsWith(name.toLowerCase()));
  return matches.length === 1 ? matches[0] : matches.find((each) => each === name);
}
