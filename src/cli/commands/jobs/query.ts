import { RqError } from '../../../job/errors.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { queryJobs } from '../../../queue/jobs/query.ts';
import { WaitsFor } from '../../../queue/jobs/why/waits-for.ts';
import { readSqlTerms } from '../../input/sql-input.ts';
import { queryExpression } from '../../input/sql-terms.ts';
import { printJobs, printsField } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'query',
  short: ['q'],
  summary: 'print the jobs that match an SQL expression',
  report: JOB_FIELDS,
  positionals: '[EXPRESSION…]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [SNAPSHOT],
  description: [
    'EXPRESSION is an SQL expression over the fields of a job, which "list" prints. ' +
      'EXPRESSION can also be a list of terms such as key=value, which must not contain spaces, quotes or parentheses. ' +
      'A job must match all terms. ' +
      'The operators of a term are =, ==, !=, <, <=, >, >=, =~ and !~. ' +
      'The operators =~ and !~ mean SQL LIKE and NOT LIKE, where % matches any text. ' +
      'The value "null" means no value. ' +
      'Without arguments, rq reads the expression from stdin.',
    'Write a time as 2026-11-28 22:51:00 or 2026-11-28 (local time), in ISO 8601 with a zone, or as a relative time such ' +
      'as -2h. ' +
      'rq refuses to compare a time with other text. ' +
      'In a term KEY=VALUE, a date selects the whole day.',
    '"query" opens the database read-only, and prints the matching jobs in the same format as "list".',
  ],
  examples: [
    ['rq q query tag=night exit_status!=0', 'print the jobs with the tag night and a nonzero exit status'],
    [
      'rq q query "finished > \'-2h\' and exit_status > 1"',
      'use any SQL expression, here for jobs that failed in the last two hours',
    ],
    ["rq q query 'command=~%big.txt%' --fields jid,state", 'print the jobs whose command line contains big.txt'],
    [
      'rq q query "started >= \'2026-01-21 22:51:00\'" --json',
      'print the jobs that started at that local time or later',
    ],
  ],
};

/** Prints the jobs for which an SQL expression is true. If there is none, prints an empty list and throws NO_JOB. */
export async function run(call: CommandCall): Promise<undefined> {
  const expression = queryExpression(await readSqlTerms(call));
  await useReader(call, async (queue) => {
    const waits = printsField(call, 'waits_for') ? new WaitsFor(queue) : undefined;
    const count = await printJobs(call, queryJobs(queue, expression, waits));
    if (count === 0) throw new RqError('NO_JOB', `cannot query: no job in ${queue.directory} matches ${expression}`);
  });
}
