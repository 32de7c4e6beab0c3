import { RqError } from '../../job/errors.ts';

const COUNT = /^([A-Za-z_]\w*)=(\d{1,3}(?:,\d{1,3})*)$/;
const RESERVED = ['successes', 'failures'];

/** Parses `ok=42,43 command_not_found=127` as names with the exit statuses to count for each. Throws USAGE. */
export function readExitCounts(text: string | undefined): Map<string, number[]> {
  const counts = new Map<string, number[]>();
  for (const word of (text ?? '').split(/\s+/).filter((each) => each !== '')) {
    const [, name = '', values = ''] = COUNT.exec(word) ?? [];
    const statuses = values.split(',').map(Number);
    if (name === '' || statuses.some((status) => status > 255)) {
      throw new RqError('USAGE', `cannot count exit statuses by "${word}": give NAME=N,N with N from 0 to 255`);
    }
    if (counts.has(name) || RESERVED.includes(name)) {
      throw new RqError(
        'USAGE',
        `cannot count exit statuses by "${word}": the name ${name} is already in use; choose another name`,
      );
    }
    counts.set(name, statuses);
  }
  return counts;
}
