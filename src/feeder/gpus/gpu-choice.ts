import { MAX_GPUS } from '../../job/limits.ts';
import { type Fault, shownValue } from '../../job/value-faults.ts';

/**
 * Which GPUs a feeder gives to jobs: all that it finds, none, a number of them, or a list of indices and UUIDs. With `none`,
 * rq leaves the GPUs of the host alone.
 */
export type GpuChoice =
  | { readonly kind: 'all' | 'none' }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'list'; readonly names: readonly string[] };

export const ALL_GPUS: GpuChoice = { kind: 'all' };

const RANGE = /^(\d{1,4})-(\d{1,4})$/;
/** An index, or a name such as GPU-8932f937-d72c-4106-c12f-20bd9faed9f6 or MIG-GPU-8932f937/1/0. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;

/** Parses `none`, a number of GPUs, or a comma-separated list of indices, ranges of indices and UUIDs. */
export function parseGpuChoice(text: string): GpuChoice | { readonly kind: 'fault'; readonly fault: string } {
  if (text === 'none') return { kind: 'none' };
  const count = Number(text);
  if (/^\d+$/.test(text)) {
    return count >= 1 && count <= MAX_GPUS ? { kind: 'count', count } : faultOf(text);
  }
  const names = text.split(',').flatMap(namesOf);
  if (names.length > MAX_GPUS || !names.every((name) => NAME.test(name))) return faultOf(text);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  return twice === undefined ? { kind: 'list', names } : { kind: 'fault', fault: `names ${twice} twice` };
}

/** The indices of a range, or the item itself. A range in descending order is no valid name. */
function namesOf(item: string): string[] {
  const [, first, last] = RANGE.exec(item) ?? [];
  if (first === undefined || last === undefined) return [item];
  const count = Number(last) - Number(first) + 1;
  return count < 1 ? [''] : Array.from({ length: count }, (_, index) => String(Number(first) + index));
}

function faultOf(text: string): { kind: 'fault'; fault: NonNullable<Fault> } {
  const fault = `must be a number from 1 to ${MAX_GPUS}, a list of indices, ranges and UUIDs, such as 0,2 or 2-3, or none, not ${shownValue(text)}`;
  return { kind: 'fault', fault };
}
