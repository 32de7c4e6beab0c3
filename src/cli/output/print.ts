import { RqError } from '../../job/errors.ts';
import { JOB_FIELDS, type Job, type JobField } from '../../job/job.ts';
import { documentText, type Printable, printable } from '../../yaml/document.ts';
import { jobListText } from '../../yaml/write.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { wantsColour } from './colour.ts';
import { colouredPieces, colouredYaml } from './coloured-yaml.ts';
import { chooseFields } from './fields.ts';
import { writeAll } from './standard-output.ts';

/** The job fields of `--fields`; undefined for all. */
function jobFields(call: CommandCall): JobField[] | undefined {
  const text = call.options.text('fields');
  return text === undefined ? undefined : chooseFields(text, JOB_FIELDS);
}

/**
 * Prints batches of jobs as they arrive, as one YAML or JSON document. With `isLive`, each batch is printed at once. Returns
 * the number of jobs.
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
  const format = { json: call.options.flag('json'), fields: jobFields(call), isLive };
  const pieces = jobListText(counted(), format);
  await writeAll(call.output, isColoured(call) ? colouredPieces(pieces, isLive) : pieces);
  return count;
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

/** As `printReport`, for a list of reports. */
export async function printReports<Report extends object>(
  call: CommandCall,
  reports: readonly Report[],
): Promise<void> {
  const names = chooseFields(call.options.text('fields') ?? '.', call.report ?? []);
  const shown = reports.map((report) => {
    const values = new Map(Object.entries(report));
    return Object.fromEntries(names.map((name) => [name, values.get(name) ?? null]));
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
