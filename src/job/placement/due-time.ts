import { DURATION_FORMS, durationText, parseDuration } from '../quantities/duration.ts';
import { AMBIGUOUS, namedTime } from '../time-text.ts';
import { type Fault, shownValue, timeFault } from '../value-faults.ts';

const MAX_DELAY_S = 10 * 366 * 86_400;

/**
 * A due time that a submitter gives, in the form in which rq stores times. A delay such as `+2h` stays text until the
 * clock of the file server is known. Other text stays as it is, and `dueFault` refuses it.
 */
export function givenDue(given: unknown): unknown {
  if (typeof given !== 'string' || isRelative(given)) return given;
  const time = namedTime(given, '');
  return 'first' in time ? time.first : given;
}

/** The seconds of a delay such as `+2h`; undefined for other text. */
export function delaySeconds(text: string): number | undefined {
  return text.startsWith('+') ? parseDuration(text.slice(1)) : undefined;
}

/** The fault of a value of `givenDue`. */
export function dueFault(value: unknown): Fault {
  if (typeof value === 'string' && value.startsWith('+')) return delayFault(value);
  if (timeFault(value) === undefined) return undefined;
  const time = typeof value === 'string' && !isRelative(value) ? namedTime(value, '') : undefined;
  if (time !== undefined && 'fault' in time && time.fault === AMBIGUOUS) return `${shownValue(value)} ${AMBIGUOUS}`;
  return `must be a time, such as '2026-12-01 22:00', or a delay, such as +2h, not ${shownValue(value)}`;
}

function delayFault(text: string): Fault {
  const seconds = delaySeconds(text);
  if (seconds !== undefined && seconds <= MAX_DELAY_S) return undefined;
  return `must be a delay of at most ${durationText(MAX_DELAY_S)}, such as +${DURATION_FORMS}, not ${shownValue(text)}`;
}

function isRelative(text: string): boolean {
  return text.startsWith('+') || text.startsWith('-');
}
