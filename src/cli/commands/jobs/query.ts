import { RqError } from '../../../job/errors.ts';
import { queryJobs } from '../../../queue/jobs/query.ts';
import { readSqlWords } from '../../input/sql-input.ts';
import { queryExpression } from '../../input/sql-terms.ts';
import { jobFields, printJobs } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useReader } from '../../use-queue.ts';

/** Prints the jobs for which an SQL expression is true. If there is none, prints an empty list and throws NO_JOB. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const expression = queryExpression(await readSqlWords(call));
  await useReader(call, async (queue) => {
    const count = await printJobs(call, queryJobs(queue, expression));
    if (count === 0) throw new RqError('NO_JOB', `cannot query: no job in ${queue.directory} matches ${expression}`);
  });
}
