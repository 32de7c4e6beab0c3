import { RqError } from '../job/errors.ts';
import { JOB_FIELDS, JOB_STATES, type Job, type JobField } from '../job/job.ts';
import { MAX_COMMAND_BYTES } from '../job/limits.ts';
import type { Row } from './connection.ts';

const NUMBERS: readonly JobField[] = ['jid', 'priority', 'elapsed', 'pid', 'exit_status', 'attempt', 'restartable'];
const REQUIRED: readonly JobField[] = ['state', 'submitted', 'submitter', 'owner', 'cwd', 'command'];

/**
 * The columns of a printed job, for a SELECT. Text that is longer than any that rq accepts comes as none: SQLite tells
 * its length without reading it, and a gigabyte of it would be the end of who reads it.
 */
export const JOB_COLUMNS = JOB_FIELDS.map(guarded).join(', ');

/** A condition on a row whose text is of a length that a job can have, as far as it is needed to run it. */
export const IS_SHORT = ['command', 'cwd', 'stdin', 'tag', 'owner', 'submitter', 'submitted']
  .map((column) => `coalesce(octet_length(${column}), 0) <= ${MAX_COMMAND_BYTES}`)
  .join(' AND ');

function guarded(field: JobField): string {
  if (NUMBERS.includes(field)) return field;
  const none = REQUIRED.includes(field) ? "''" : 'NULL';
  return `iif(octet_length(${field}) > ${MAX_COMMAND_BYTES}, ${none}, ${field}) AS ${field}`;
}

/** A row of `jobs` as a job. The schema's constraints vouch for the rest once the state is known. */
export function jobFromRow(row: Row): Job {
  if (!(JOB_STATES as readonly unknown[]).includes(row['state'])) {
    throw new RqError(
      'QUEUE_DAMAGED',
      `cannot read job ${String(row['jid'])}: it has no valid state but ${String(row['state'])}; run: rq QUEUE recover`,
    );
  }
  return { ...row, restartable: row['restartable'] === 1 } as unknown as Job;
}
