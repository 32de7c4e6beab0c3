import type { Variables } from '../job/columns/variables.ts';
import { JOB_FIELDS, type Job, type JobField } from '../job/job.ts';
import { jsonText } from '../job/printable.ts';
import { mapText, type Scalar, scalarText } from './scalar.ts';

/**
 * YAML, or JSON with `json`. With `fields`, only these are printed, in this order, even if they are null. With `full`, all
 * are printed, even if they are null.
 */
export interface JobFormat {
  readonly json?: boolean;
  readonly full?: boolean;
  readonly fields?: readonly JobField[] | undefined;
  /** Each batch becomes a piece at once, because the next one may come much later. */
  readonly isLive?: boolean;
}

/** The value of a field of a job. */
type FieldValue = Scalar | Variables;

/** The approximate size of a piece in UTF-16 units, for few writes and little memory. */
const PIECE_LENGTH = 64 * 1024;

const INDENTED_KEYS = keysAfter('  ');
const BARE_KEYS = keysAfter('');

/**
 * A list of jobs as pieces of one YAML document, or of one JSON array with one job on each line. Does not use the `yaml`
 * library: it takes 12 s for 100,000 finished jobs (43 MB), this code 0.6 s, and JSON.stringify 0.3 s.
 */
export async function* jobListText(
  batches: AsyncIterable<readonly Job[]> | Iterable<readonly Job[]>,
  format: JobFormat = {},
): AsyncGenerator<string> {
  const json = format.json === true;
  const fields = format.fields ?? (format.full === true ? JOB_FIELDS : undefined);
  let piece = '';
  let count = 0;
  for await (const batch of batches) {
    for (const job of batch) {
      if (json) piece += count === 0 ? '[\n' : ',\n';
      else if (count === 0) piece += '---\n';
      piece += json ? jobJson(job, fields) : jobText(job, fields);
      count += 1;
      if (piece.length < PIECE_LENGTH) continue;
      yield piece;
      piece = '';
    }
    if (format.isLive !== true || piece === '') continue;
    yield piece;
    piece = '';
  }
  if (count === 0) yield json ? '[]\n' : '--- []\n';
  else yield json ? `${piece}\n]\n` : piece;
}

/** A job as an entry of a YAML list: a line with `-`, and an indented line for each field. */
export function jobText(job: Job, fields?: readonly JobField[]): string {
  return `-\n${jobLines(job, fields, INDENTED_KEYS)}`;
}

/** A job as a YAML document, for RQ_JOB. */
export function jobDocument(job: Job): string {
  return `---\n${jobLines(job, undefined, BARE_KEYS)}`;
}

/** A job as one line of JSON without the newline. */
export function jobJson(job: Job, fields?: readonly JobField[]): string {
  const printed: Partial<Record<JobField, FieldValue>> = {};
  for (const field of fields ?? JOB_FIELDS) {
    const value = jobValue(job, field);
    if (value !== undefined && (value !== null || fields !== undefined)) printed[field] = value;
    else if (fields !== undefined) printed[field] = null;
  }
  return jsonText(printed);
}

/** The value of a field; null or undefined if a job in this state has none. */
export function jobValue(job: Job, field: JobField): FieldValue | undefined {
  return (job as Partial<Record<JobField, FieldValue>>)[field];
}

function jobLines(job: Job, fields: readonly JobField[] | undefined, keys: Readonly<Record<JobField, string>>): string {
  let text = '';
  for (const field of fields ?? JOB_FIELDS) {
    const value = jobValue(job, field) ?? null;
    if (value === null && fields === undefined) continue;
    text += `${keys[field]}${valueText(value)}\n`;
  }
  return text;
}

function valueText(value: FieldValue): string {
  return typeof value === 'object' && value !== null ? mapText(value) : scalarText(value);
}

function keysAfter(prefix: string): Readonly<Record<JobField, string>> {
  return Object.fromEntries(JOB_FIELDS.map((field) => [field, `${prefix}${field}: `])) as Record<JobField, string>;
}
