const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** A number and its noun: `1 cpu`, `4 cpus`, `1,000 jobs`. */
export function counted(count: number, noun: string): string {
  const text = count < 1000 ? String(count) : count.toLocaleString('en');
  return `${text} ${noun}${count === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerated(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** At most `max` items: `41, 42`, or `41, 42 and 7 more`. `total` is their number, if the list does not have all. */
export function listed(items: readonly (string | number)[], max: number, total = items.length): string {
  const shown = items.slice(0, max);
  const more = total - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** A length of time in one unit: `40 s`, `12 min`, `5 h`, `3 days`. */
export function roughly(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 90 * MINUTE_S) return `${Math.round(seconds / MINUTE_S)} min`;
  if (seconds < 2 * DAY_S) return `${Math.round(seconds / HOUR_S)} h`;
  return `${Math.round(seconds / DAY_S)} days`;
}

/** A time in local time, as short as it is clear: `10:03`, `yesterday 22:10`, `2026-11-28 22:10`. Both are ISO 8601. */
export function clockTime(time: string, now: string): string {
  const at = new Date(time);
  const minutes = `${padded(at.getHours())}:${padded(at.getMinutes())}`;
  const day = dayOf(at);
  const today = new Date(now);
  if (day === dayOf(today)) return minutes;
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  return day === dayOf(yesterday) ? `yesterday ${minutes}` : `${day} ${minutes}`;
}

function dayOf(at: Date): string {
  return `${at.getFullYear()}-${padded(at.getMonth() + 1)}-${padded(at.getDate())}`;
}

function padded(number: number): string {
  return String(number).padStart(2, '0');
}
