import type { JobState } from '../job/job.ts';
import type { Connection } from './connection.ts';

const FIRST_TAG = 'SELECT min(tag) AS tag FROM jobs WHERE tag >= ?';
const NEXT_TAG = 'SELECT min(tag) AS tag FROM jobs WHERE tag > ?';
const NEWEST = `SELECT jid, state, substr(command, 1, :length) AS command FROM jobs
  WHERE jid BETWEEN :first AND :last ORDER BY jid DESC LIMIT :limit`;

/** The digits of the largest jid. */
const MAX_DIGITS = 15;
const SHOWN_COMMAND = 60;

/** The description of a jid in a completion. The command is truncated. */
export interface JobSummary {
  readonly jid: number;
  readonly state: JobState;
  readonly command: string;
}

/** The first tags that begin with the text, in order. Reads one index entry for each tag, however many jobs have it. */
export function tagsBeginningWith(connection: Connection, text: string, limit: number): string[] {
  const tags: string[] = [];
  let tag = connection.get(FIRST_TAG, [text])?.['tag'];
  while (typeof tag === 'string' && tag.startsWith(text) && tags.length < limit) {
    tags.push(tag);
    tag = connection.get(NEXT_TAG, [tag])?.['tag'];
  }
  return tags;
}

/** The newest jobs whose decimal jid begins with the digits; without digits, the newest jobs. */
export function newestBeginningWith(connection: Connection, digits: string, limit: number): JobSummary[] {
  const jobs: JobSummary[] = [];
  for (const [first, last] of rangesBeginningWith(digits)) {
    const parameters = { first, last, limit: limit - jobs.length, length: SHOWN_COMMAND };
    jobs.push(...(connection.all(NEWEST, parameters) as unknown as JobSummary[]));
    if (jobs.length >= limit) break;
  }
  return jobs;
}

/** For `4`: 4, 40-49, 400-499 and so on, highest first. A comparison of jids as text would scan the table. */
function rangesBeginningWith(digits: string): (readonly [number, number])[] {
  if (digits === '') return [[1, 10 ** MAX_DIGITS]];
  if (!/^[1-9]\d*$/.test(digits) || digits.length > MAX_DIGITS) return [];
  return Array.from({ length: MAX_DIGITS - digits.length + 1 }, (_, index) => {
    const scale = 10 ** (MAX_DIGITS - digits.length - index);
    return [Number(digits) * scale, (Number(digits) + 1) * scale - 1] as const;
  });
}
