import { RqError } from '../../../job/errors.ts';
import { queryJobs } from '../../../queue/jobs/query.ts';
import { readSqlWords } from '../../input/sql-input.ts';
import { queryExpression } from '../../input/sql-terms.ts';
import { jobFields, printJobs } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useReader } from '../../use-queue.ts';

/** Prints the jobs for which an expression is true. None is NO_JOB, after an empty list was printed. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const expression = queryExpression(await readSqlWords(call));
  await useReader(call, async (queue) => {
    if ((await printJobs(call, queryJobs(queue, expression))) > 0) return;
    throw new RqError('NO_JOB', `no job in ${queue.directory} matches ${expression}`);
  });
}
