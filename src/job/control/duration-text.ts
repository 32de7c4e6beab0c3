const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/;
const SECONDS = [86_400, 3_600, 60, 1];
const UNITS = ['d', 'h', 'm', 's'];

export const DURATION_FORMS = '90, 30s, 5m, 2h, 1d or 1h30m';

/** The seconds of a duration such as `90`, `30s`, `5m`, `2h`, `1d` or `1h30m`; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const parts = text === '' ? null : DURATION.exec(text);
  if (parts === null) return undefined;
  return SECONDS.reduce((sum, unit, index) => sum + unit * Number(parts[index + 1] ?? 0), 0);
}

/** A whole number of seconds as such a duration: `5400` is `1h30m`. */
export function durationText(seconds: number): string {
  let rest = seconds;
  const parts = SECONDS.map((unit, index) => {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    return count === 0 ? '' : `${count}${UNITS[index]}`;
  });
  return parts.join('') || '0s';
}
