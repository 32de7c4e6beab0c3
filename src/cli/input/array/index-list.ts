import { RqError } from '../../../job/errors.ts';
import { MAX_INDEX, MAX_JOBS, MAX_RUNNING } from '../../../job/limits.ts';
import { shownValue } from '../../../job/value-faults.ts';

/** The value of `--array`. */
export interface IndexList {
  /** In the order given, each once. */
  readonly indexes: Uint32Array;
  /** The number after `%`. */
  readonly atMost: number | undefined;
}

interface IndexRange {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

const ITEM = /^(?<first>\d+)(?:-(?<last>\d+)(?::(?<step>\d+))?)?(?:%(?<atMost>\d+))?$/;
const FORM = 'indexes and ranges, such as 1-100, 0-90:10 or 1,5,7-9, and %N for at most N at once';

/** Parses `1-100:2%8,200,300-310`. `action` begins the message of an error: `cannot submit`. Throws USAGE. */
export function parseIndexes(text: string, action: string): IndexList {
  const ranges: IndexRange[] = [];
  const limits: number[] = [];
  for (const item of text.split(',')) {
    const { first, last = first, step = '1', atMost } = ITEM.exec(item)?.groups ?? {};
    if (first === undefined || last === undefined) throw usage(action, `must be ${FORM}, not ${shownValue(item)}`);
    ranges.push(rangeOf([first, last, step].map(Number), item, action));
    if (atMost !== undefined) limits.push(limitOf(atMost, action));
  }
  if (limits.length > 1) throw usage(action, 'has more than one %N; the limit applies to the whole array: give one');
  return { indexes: expand(ranges, action), atMost: limits[0] };
}

function rangeOf([first = 0, last = 0, step = 0]: readonly number[], item: string, action: string): IndexRange {
  const highest = Math.max(first, last);
  if (highest > MAX_INDEX) throw usage(action, `contains the index ${highest}; the highest index is ${MAX_INDEX}`);
  if (first > last) throw usage(action, `contains the reversed range ${item}; give ${last}-${first}`);
  if (step < 1) throw usage(action, `contains the step 0 in ${item}; the lowest step is 1`);
  return { first, step, count: Math.floor((last - first) / step) + 1 };
}

function limitOf(text: string, action: string): number {
  const limit = Number(text);
  if (limit >= 1 && limit <= MAX_RUNNING) return limit;
  throw usage(action, `contains %${text}; the limit must be a whole number from 1 to ${MAX_RUNNING}`);
}

function expand(ranges: readonly IndexRange[], action: string): Uint32Array {
  const count = ranges.reduce((sum, range) => sum + range.count, 0);
  if (count > MAX_JOBS) throw usage(action, `has ${count} indexes; a queue can contain at most ${MAX_JOBS} jobs`);
  const indexes = new Uint32Array(count);
  let at = 0;
  for (const range of ranges) {
    for (let nth = 0; nth < range.count; nth += 1) indexes[at++] = range.first + nth * range.step;
  }
  const twice = ranges.length === 1 ? undefined : firstDuplicate(indexes);
  if (twice !== undefined) throw usage(action, `contains the index ${twice} more than once`);
  return indexes;
}

function firstDuplicate(indexes: Uint32Array): number | undefined {
  const sorted = indexes.toSorted();
  return sorted.find((index, at) => at > 0 && index === sorted[at - 1]);
}

function usage(action: string, fault: string): RqError {
  return new RqError('USAGE', `${action}: --array ${fault}`);
}
