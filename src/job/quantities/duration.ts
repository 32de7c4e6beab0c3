const DURATION = /^(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/;
const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
] as const;

export const DURATION_FORMS = '90, 30s, 5m, 2h, 1d or 1h30m';

/** The seconds of a duration such as `90` or `0.5` (seconds), `30s`, `5m`, `2h`, `1d` or `1h30m`; undefined for other text. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  const [match, days = 0, hours = 0, minutes = 0, seconds = 0] = DURATION.exec(text) ?? [];
  if (match === undefined) return undefined;
  return Number(days) * 86_400 + Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}

/** A duration as `parseDuration` reads it: `2h`, `1m30s`; with a fraction of a second, `0.5s`. */
export function durationText(seconds: number): string {
  let rest = seconds;
  let text = '';
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return rest > 0 || text === '' ? `${text}${Number(rest.toFixed(3))}s` : text;
}
