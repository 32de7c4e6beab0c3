import type { Resources } from '../../job/placement/needs.ts';
import type { FieldReader } from './fields.ts';

const MAX_DEVICES = 1024;

/** What an attempt has of its host in addition to its slots and its memory. The runner only records it. */
export interface AttemptHolding {
  readonly devices: readonly string[];
  readonly resources: Resources;
}

export const NO_HOLDING: AttemptHolding = { devices: [], resources: {} };

/** The fields of a spawn request, of the journal and of a list. What the attempt does not have is left out. */
export function holdingFields({ devices, resources }: AttemptHolding = NO_HOLDING): object {
  return {
    devices: devices.length === 0 ? undefined : devices,
    resources: Object.keys(resources).length === 0 ? undefined : resources,
  };
}

export function parseHolding(reader: FieldReader): AttemptHolding {
  return { devices: reader.optionalTexts('devices', MAX_DEVICES), resources: reader.optionalCounts('resources') };
}
