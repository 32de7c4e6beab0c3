import type { Fault } from '../value-faults.ts';

/** The fault of a list of dependencies, such as `41,any:42`. */
export function dependenciesFault(text: string): Fault {
  return text === '' ? 'is empty' : undefined;
}
