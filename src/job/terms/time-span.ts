import { systemClock } from '../clock.ts';
import { RqError } from '../errors.ts';
import type { JobField } from '../job.ts';
import { namedTime } from '../time-text.ts';

/**
 * The first and the last of the times that `FIELD=VALUE` selects: those of a day, a minute, a second or a millisecond. Throws
 * USAGE for text that names none of these.
 */
export function timeSpan(field: JobField, value: string): { first: string; last: string } {
  const time = namedTime(value, systemClock.now());
  const attempted = `cannot select by ${field}=${value}`;
  if ('fault' in time) throw new RqError('USAGE', `${attempted}: '${value}' ${time.fault}`);
  const { first, last } = time;
  if (last !== undefined) return { first, last };
  throw new RqError(
    'USAGE',
    `${attempted}: no job is likely to have exactly this time; use "query" with <, <=, > or >=, such as ${field}>=${value}`,
  );
}
