import { parseDuration } from './quantities/duration.ts';

/** The time that a text names, in the form in which rq stores times. */
export interface NamedTime {
  readonly first: string;
  /**
   * The last millisecond of the day, minute or second that the text names; `first` for a text with milliseconds. Undefined
   * for a relative time, and where local clocks change at that moment.
   */
  readonly last: string | undefined;
}

const FORMS = "'2026-11-28 22:51:00', '2026-11-28', '2026-11-28T22:51:00+01:00' or '-2h'";
export const COMPARISON_ADVICE = `compare the field itself with ${FORMS}, or use julianday() on both sides`;

/** The fault of a time that local clocks show twice or never. */
export const AMBIGUOUS = 'occurs twice or never in the local time zone; give a time with a zone, such as +01:00';

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)? ?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * The time that a text of the user names: local time unless it has a zone, or a duration before `now`. A text that names
 * no time, or two, has a fault, which follows the text in a message.
 */
export function namedTime(text: string, now: string): NamedTime | { readonly fault: string } {
  const seconds = text.startsWith('-') ? parseDuration(text.slice(1)) : undefined;
  if (seconds !== undefined) {
    const first = isoTime(Date.parse(now) - seconds * 1000);
    return first === undefined ? notATime() : { first, last: undefined };
  }
  const [, date, minutes, second, fraction, zone] = TIME.exec(text) ?? [];
  const written = `${date}T${minutes ?? '00:00'}:${second ?? '00'}.${(fraction ?? '').padEnd(3, '0')}`;
  const writtenMs = Date.parse(`${written}Z`);
  // Date.parse accepts the 30th of February.
  if (date === undefined || isoTime(writtenMs) !== `${written}Z`) return notATime();
  const [first, next] = [writtenMs, writtenMs + lengthMs(minutes, second, fraction)].map((ms) =>
    zone === undefined ? fromLocal(ms) : ms - zoneMs(zone),
  );
  if (first === undefined) {
    return { fault: AMBIGUOUS };
  }
  const from = isoTime(first);
  const last = next === undefined ? undefined : isoTime(Math.max(first, next - 1));
  return from === undefined ? notATime() : { first: from, last };
}

function notATime(): { fault: string } {
  return { fault: `is not a time; give ${FORMS}` };
}

/** How long a time lasts that is written with this precision; 0 for milliseconds. */
function lengthMs(minutes: string | undefined, seconds: string | undefined, fraction: string | undefined): number {
  if (minutes === undefined) return DAY_MS;
  if (seconds === undefined) return MINUTE_MS;
  return fraction === undefined ? 1000 : 0;
}

/** The time at which local clocks show `ms`, as a time in UTC; undefined if they never show it, or twice. */
function fromLocal(ms: number): number | undefined {
  const offsetMs = (at: number): number => new Date(at).getTimezoneOffset() * MINUTE_MS;
  const candidates = new Set([ms - DAY_MS, ms + DAY_MS].map((near) => ms + offsetMs(near)));
  const shown = [...candidates].filter((at) => at - offsetMs(at) === ms);
  return shown.length === 1 ? shown[0] : undefined;
}

function zoneMs(zone: string): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}

/** Undefined for a time that ISO 8601 writes with more than four digits of the year. */
function isoTime(ms: number): string | undefined {
  const text = Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : '';
  return text.length === 24 ? text : undefined;
}
