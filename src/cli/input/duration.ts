import { RqError } from '../../job/errors.ts';

const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/;
const SECONDS = [86_400, 3_600, 60, 1];
const MAX_SECONDS = 366 * 86_400;

/** Parses a duration such as `90`, `30s` or `1h30m` as milliseconds; undefined if it is not given. Throws USAGE. */
export function durationMs(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parts = DURATION.exec(/^\d+(?:\.\d+)?$/.test(text) ? `${text}s` : text);
  const seconds = SECONDS.reduce((sum, unit, index) => sum + unit * Number(parts?.[index + 1] ?? 0), 0);
  if (parts !== null && text !== '' && seconds <= MAX_SECONDS) return seconds * 1000;
  throw new RqError(
    'USAGE',
    `the option --${option} must be a duration of at most 366 days, such as 90, 30s, 5m, 2h, 1d or 1h30m, not "${text}"`,
  );
}
