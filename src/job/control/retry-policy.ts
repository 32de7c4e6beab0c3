import { MAX_PAUSE_S } from '../limits.ts';
import { DURATION_FORMS, parseDuration } from '../quantities/duration.ts';
import { signalName } from '../quantities/signal.ts';
import { type Fault, shownValue } from '../value-faults.ts';

/** How an attempt failed. `limit` is the limit that rq enforced. */
export interface Failure {
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly limit?: 'time' | 'memory' | null;
}

const DEFAULT_BACKOFF = { minS: 30, maxS: 3600 };
/** The pause is between this fraction and the whole of its nominal length, so that jobs do not start again at once. */
const MIN_FRACTION = 0.8;
const LIMITS = ['time', 'memory'];
const STATUSES = /^(\d{1,3})(?:-(\d{1,3}))?$/;

/** The fault of a `backoff`: a duration, or the shortest and the longest one, as in `30s..1h`. */
export function backoffFault(text: string): Fault {
  const range = parseBackoff(text);
  if (range === undefined) {
    return `must be a duration or a range of durations, such as 30s or 30s..1h (${DURATION_FORMS}), not ${shownValue(text)}`;
  }
  if (range.minS > range.maxS) return `has a first duration that is longer than the second: ${shownValue(text)}`;
  return range.maxS > MAX_PAUSE_S ? `must be at most ${MAX_PAUSE_S / 86_400}d, not ${shownValue(text)}` : undefined;
}

/** The fault of a `retry_on`: exit statuses, ranges of them, signals, `time` and `memory`, separated by commas. */
export function retryOnFault(text: string): Fault {
  const wrong = text.split(',').find((term) => !isFailureTerm(term));
  if (wrong === undefined) return undefined;
  return `must list exit statuses from 1 to 255 (3, 64-78), signals (SIGKILL), time or memory, separated by commas, not ${shownValue(wrong)}`;
}

/** Whether a job with this `retry_on` is retried after the failure. Null is every failure. */
export function isRetriedOn(retryOn: string | null, { exit_status, signal, limit }: Failure): boolean {
  if (retryOn === null) return true;
  return retryOn.split(',').some((term) => {
    // The signal or status of an attempt that rq ended is that of rq.
    if (limit) return term === limit;
    if (signal !== null) return signalName(term) === signal;
    const range = rangeOf(term);
    return range !== undefined && exit_status !== null && range.first <= exit_status && exit_status <= range.last;
  });
}

/**
 * The pause before the next attempt, in milliseconds, after `tries` failed attempts: it doubles with each. `random` is from
 * 0 to 1.
 */
export function retryPauseMs(backoff: string | null, tries: number, random: number): number {
  const { minS, maxS } = (backoff === null ? undefined : parseBackoff(backoff)) ?? DEFAULT_BACKOFF;
  const nominalS = Math.min(maxS, minS * 2 ** Math.min(tries - 1, 40));
  return Math.round(nominalS * 1000 * (MIN_FRACTION + (1 - MIN_FRACTION) * random));
}

function parseBackoff(text: string): { minS: number; maxS: number } | undefined {
  const [first = '', second, ...others] = text.split('..');
  const minS = parseDuration(first);
  const maxS = second === undefined ? DEFAULT_BACKOFF.maxS : parseDuration(second);
  if (minS === undefined || maxS === undefined || others.length > 0) return undefined;
  return { minS, maxS: second === undefined ? Math.max(minS, maxS) : maxS };
}

function isFailureTerm(term: string): boolean {
  return (
    LIMITS.includes(term) || rangeOf(term) !== undefined || (/^[a-z]/i.test(term) && signalName(term) !== undefined)
  );
}

function rangeOf(term: string): { first: number; last: number } | undefined {
  const [, from, to] = STATUSES.exec(term) ?? [];
  if (from === undefined) return undefined;
  const first = Number(from);
  const last = to === undefined ? first : Number(to);
  return first >= 1 && first <= last && last <= 255 ? { first, last } : undefined;
}
