import { RqError } from '../../../job/errors.ts';
import { executeSql } from '../../../queue/jobs/execute.ts';
import type { Printable } from '../../../yaml/document.ts';
import { readSqlWords } from '../../input/sql-input.ts';
import { printDocument, printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** Runs one SQL statement and prints its rows or the number of changed rows. */
export async function run(call: CommandCall): Promise<undefined> {
  if (call.options.text('fields') !== undefined) {
    throw new RqError('USAGE', 'cannot execute with --fields: the SQL statement chooses the columns; remove --fields');
  }
  const sql = (await readSqlWords(call)).join(' ');
  const result = await useQueue(call, (queue) => executeSql(queue, sql));
  if ('changes' in result) await printReport(call, result);
  else await printDocument(call, result.rows.map(printableRow));
}

/** Converts blobs to SQL literals in hexadecimal. */
function printableRow(row: Readonly<Record<string, unknown>>): Printable {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : (value as Printable),
    ]),
  );
}
