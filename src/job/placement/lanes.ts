import { type Fault, shownValue } from '../value-faults.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The fault of the name of a lane, as text that follows it. */
export function laneNameFault(name: string): Fault {
  return NAME.test(name)
    ? undefined
    : `must consist of at most 64 letters, digits, ".", "_" and "-", and begin with a letter or a digit`;
}

/** The fault of a comma-separated list of lanes. */
export function lanesFault(text: string): Fault {
  for (const name of text.split(',')) {
    const fault = laneNameFault(name);
    if (fault !== undefined) return `must be names of lanes, separated by commas; ${shownValue(name)} ${fault}`;
  }
  return undefined;
}

/** The lanes of a job, sorted and each once. Null is no lane. */
export function parseLanes(lanes: string | null): string[] {
  return lanes === null ? [] : [...new Set(lanes.split(','))].sort();
}
