import { RqError } from '../../job/errors.ts';
import { JOB_FIELDS, type Job, type JobField } from '../../job/job.ts';
import { documentText, type Printable, printable } from '../../yaml/document.ts';
import { jobListText } from '../../yaml/write.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { wantsColour } from './colour.ts';
import { colouredPieces, colouredYaml } from './coloured-yaml.ts';
import { chooseFields } from './fields.ts';
import { plainPieces } from './forms/plain.ts';
import { writeAll } from './standard-output.ts';
import { outputWidth } from './terminal.ts';

/** The fields of a job in a table without `--fields`. */
const JOB_TABLE: readonly JobField[] = ['jid', 'state', 'runner', 'elapsed', 'exit_status', 'signal', 'tag', 'command'];

/** The job fields of `--fields`; undefined for all. */
function jobFields(call: CommandCall): JobField[] | undefined {
  const text = call.options.text('fields');
  return text === undefined ? undefined : chooseFields(text, JOB_FIELDS);
}

/** Whether a call prints a field of jobs. Plain lines and tables have few fields without `--fields`. */
export function printsField(call: CommandCall, field: JobField): boolean {
  const { options } = call;
  return jobFields(call)?.includes(field) ?? !(options.flag('plain') || options.flag('table'));
}

/**
 * Prints batches of jobs as they arrive, in the form that the options name. With `isLive`, each batch is printed at once.
 * Returns the number of jobs.
 */
export async function printJobs(
  call: CommandCall,
  batches: AsyncIterable<readonly Job[]> | Iterable<readonly Job[]>,
  isLive = false,
): Promise<number> {
  let count = 0;
  async function* counted(): AsyncGenerator<readonly Job[]> {
    for await (const batch of batches) {
      count += batch.length;
      yield batch;
    }
  }
  const fields = jobFields(call);
  if (!(await printLines(call, counted(), fields, JOB_TABLE))) {
    const { options } = call;
    const pieces = jobListText(counted(), { json: options.flag('json'), full: options.flag('full'), fields, isLive });
    await writeAll(call.output, isColoured(call) ? colouredPieces(pieces, isLive) : pieces);
  }
  return count;
}

/**
 * Prints jobs or nodes with `--plain` or `--table`. Returns false without these options. By default, a plain line has only
 * the first field of `table`.
 */
async function printLines(
  call: CommandCall,
  batches: AsyncIterable<readonly object[]> | Iterable<readonly object[]>,
  fields: readonly string[] | undefined,
  table: readonly string[],
): Promise<boolean> {
  if (call.options.flag('plain')) {
    await writeAll(call.output, plainPieces(batches, fields ?? table.slice(0, 1)));
    return true;
  }
  if (!call.options.flag('table')) return false;
  // Loads the segmenter of Intl, which the other forms do not need.
  const { tablePieces } = await import('./forms/table.ts');
  await writeAll(call.output, tablePieces(batches, fields ?? table, outputWidth(call.environment)));
  return true;
}

/**
 * Prints the result of a completed change. If printing fails, the error states that the change was made. Its code is never
 * BUSY, and it does not advise to try again, because a script would then repeat the change.
 */
export async function printAfter<T>(change: string, print: () => Promise<T>): Promise<T> {
  try {
    return await print();
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    const [why] = error.message.split('; try again');
    throw new RqError('IO', `${change}, but ${why}`, { cause: error.cause, facts: error.facts });
  }
}

/** Prints the report of a command as one document, with the fields of `--fields` or all. */
export async function printReport(call: CommandCall, report: Readonly<Record<string, unknown>>): Promise<void> {
  const chosen = call.options.text('fields');
  if (chosen === undefined) return await printDocument(call, printable(report));
  const shown = chooseFields(chosen, call.report ?? []).map((name) => [name, report[name] ?? null] as const);
  await printDocument(call, printable(Object.fromEntries(shown)));
}

/** As `printReport`, for a list of reports. `table` are the fields of a table without `--fields`. */
export async function printReports<Report extends object>(
  call: CommandCall,
  reports: readonly Report[],
  table: readonly string[],
): Promise<void> {
  const chosen = call.options.text('fields');
  const fields = chosen === undefined ? undefined : chooseFields(chosen, call.report ?? []);
  if (await printLines(call, [reports], fields, table)) return;
  const names = fields ?? call.report ?? [];
  const hasNulls = fields !== undefined || call.options.flag('full');
  const shown = reports.map((report) => {
    const values = new Map(Object.entries(report));
    return Object.fromEntries(names.map((name) => [name, values.get(name) ?? (hasNulls ? null : undefined)]));
  });
  await printDocument(call, printable(shown));
}

/** Prints data as one YAML or JSON document. */
export async function printDocument(call: CommandCall, value: Printable): Promise<void> {
  const text = documentText(value, { json: call.options.flag('json') });
  await call.output.write(isColoured(call) ? colouredYaml(text) : text);
}

function isColoured(call: CommandCall): boolean {
  return !call.options.flag('json') && wantsColour(1, call.environment);
}
