import { MAX_JOBS } from '../../../job/limits.ts';

/** A range of numbers that are multiples of a power of ten: `scale` 2 stands for hundredths. */
interface NumberRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly step: bigint;
  readonly scale: number;
  /** The number of characters of each value, with leading zeros; 0 for none. */
  readonly width: number;
}

const NUMBER = String.raw`-?(?:\d+|\d+\.\d+)`;
const RANGE = new RegExp(`^(${NUMBER})\\.\\.(${NUMBER})(?::(${NUMBER}))?$`);
/** Text with which a user means a range of numbers. */
const RANGE_LIKE = /^[-+]?\.?\d[\d.eE+-]*\.\.[-+]?\.?\d[\d.eE+-]*(?::.*)?$/;
const LEADING_ZERO = /^-?0\d/;
/** Of a range. It bounds the time that the arithmetic takes. */
const MAX_LENGTH = 120;

/** Whether a value of a sweep is meant as a range of numbers, such as `1..5` or `0..1:0.25`. */
export function isRangeLike(text: string): boolean {
  return RANGE_LIKE.test(text);
}

/** The numbers of a range, as text without trailing zeros after the point; or the fault of the range. */
export function rangeValues(text: string): { readonly values: string[] } | { readonly fault: string } {
  const range = parseRange(text);
  if (range === undefined) {
    return { fault: 'is not a range of numbers, such as 1..5 or 0..1:0.25; give other text as a line of NAME=@FILE' };
  }
  const { first, last, step } = range;
  if (step <= 0n) return { fault: 'has a step that is not above 0' };
  if (first > last) return { fault: 'is reversed; the lower number comes first' };
  const count = (last - first) / step + 1n;
  if (count > MAX_JOBS) return { fault: `has ${count} values; a queue can contain at most ${MAX_JOBS} jobs` };
  return { values: Array.from({ length: Number(count) }, (_, at) => numberText(first + BigInt(at) * step, range)) };
}

function parseRange(text: string): NumberRange | undefined {
  const match = RANGE.exec(text);
  if (match === null || text.length > MAX_LENGTH) return undefined;
  const [, first = '', last = '', step = '1'] = match;
  const numbers = [first, last, step];
  const scale = Math.max(...numbers.map((number) => decimalsOf(number).length));
  const isPadded = LEADING_ZERO.test(first) || LEADING_ZERO.test(last);
  if (isPadded && scale > 0) return undefined;
  const [low = 0n, high = 0n, by = 0n] = numbers.map((number) => scaled(number, scale));
  return { first: low, last: high, step: by, scale, width: isPadded ? Math.max(first.length, last.length) : 0 };
}

function decimalsOf(number: string): string {
  return number.split('.')[1] ?? '';
}

function scaled(number: string, scale: number): bigint {
  const decimals = decimalsOf(number);
  return BigInt(number.replace('.', '') + '0'.repeat(scale - decimals.length));
}

function numberText(number: bigint, { scale, width }: NumberRange): string {
  const sign = number < 0n ? '-' : '';
  const digits = String(number < 0n ? -number : number).padStart(Math.max(scale + 1, width - sign.length), '0');
  if (scale === 0) return sign + digits;
  return sign + `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
}
