import { errorCode } from '../../job/errors.ts';
import { JOB_STATES } from '../../job/job.ts';
import type { RecordValue } from './record.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Where in a record of `jobs` these stand. */
const TIMES = [3, 4, 5] as const;
const STATE = 2;
const IDS = [24, 25] as const;
const VALUES = 26;

/** Whether values can be a row of `jobs`, beyond what the schema's constraints say; the jid is not among them. */
export function isJob(values: readonly RecordValue[]): boolean {
  return (
    values.length === VALUES &&
    values[0] === null &&
    JOB_STATES.some((state) => state === values[STATE]) &&
    TIMES.every((column) => values[column] === null || isTime(values[column])) &&
    IDS.every((column) => isId(values[column]))
  );
}

/** Runs what adds a row; false if the schema does not let it in. */
export function isAccepted(insert: () => void): boolean {
  try {
    insert();
    return true;
  } catch (error) {
    if (errorCode(error)?.startsWith('SQLITE_CONSTRAINT') !== true) throw error;
    return false;
  }
}

function isTime(value: RecordValue | undefined): boolean {
  if (typeof value !== 'string' || !TIME.test(value)) return false;
  const timeMs = Date.parse(value);
  return !Number.isNaN(timeMs) && new Date(timeMs).toISOString() === value;
}

/** Ids of boots and journals are UUIDs: what is as long as one has to be one. */
function isId(value: RecordValue | undefined): boolean {
  return typeof value !== 'string' || value.length !== 36 || UUID.test(value);
}
