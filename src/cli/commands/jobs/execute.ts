import { RqError } from '../../../job/errors.ts';
import { executeSql } from '../../../queue/jobs/execute.ts';
import type { Printable } from '../../../yaml/document.ts';
import { readSqlTerms } from '../../input/sql-input.ts';
import { printDocument, printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'execute',
  short: ['e'],
  summary: 'run an SQL statement on the database',
  positionals: '[SQL…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [],
  description: [
    'Runs one SQL statement in a transaction, and prints the resulting rows or the number of changed rows. ' +
      'The file db.schema in the queue describes the tables. ' +
      'You can add your own tables. ' +
      'The constraints of the schema apply, and you cannot drop the tables of the queue. ' +
      'Write times in conditions as for "query". ' +
      'SQL statements do not affect the files of jobs, so use "delete" to delete jobs. ' +
      'Without arguments, rq reads the statement from stdin.',
  ],
  examples: [
    ["rq q execute 'select tag, count(*) as jobs from jobs group by tag'", 'count the jobs with each tag'],
    ["rq q execute 'select * from attempts where jid = 42'", 'print all attempts of job 42'],
    ['rq q execute "update jobs set priority = 9 where state = \'pending\'"', 'change the priority of pending jobs'],
  ],
};

/** Runs one SQL statement and prints its rows or the number of changed rows. */
export async function run(call: CommandCall): Promise<undefined> {
  if (call.options.text('fields') !== undefined) {
    throw new RqError(
      'USAGE',
      'cannot use --fields with execute: the SQL statement chooses the columns; remove --fields',
    );
  }
  const sql = (await readSqlTerms(call)).join(' ');
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
