import { JOB_FIELDS, JOB_STATES, type Job } from '../job/job.ts';
import type { Row } from './connection.ts';

/** The columns of a printed job, for a SELECT. */
export const JOB_COLUMNS = JOB_FIELDS.join(', ');

/** A row of `jobs` as a job. The schema's constraints vouch for the rest once the state is known. */
export function jobFromRow(row: Row): Job {
  if (!(JOB_STATES as readonly unknown[]).includes(row['state'])) {
    throw new TypeError(`job ${String(row['jid'])} has no valid state: ${String(row['state'])}`);
  }
  return { ...row, restartable: row['restartable'] === 1 } as unknown as Job;
}
