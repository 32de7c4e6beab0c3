import { RqError } from '../../job/errors.ts';
import { queryJobs } from '../../queue/query.ts';
import type { ModeCall } from '../mode-call.ts';
import { jobFields, printJobs } from '../print.ts';
import { queryExpression } from '../query-words.ts';
import { wordsOrInput } from '../sql-input.ts';
import { useReader } from '../use-queue.ts';

/** Prints the jobs for which an expression is true. None is NO_JOB, after an empty list was printed. */
export async function run(call: ModeCall): Promise<undefined> {
  jobFields(call);
  const expression = queryExpression(await wordsOrInput(call));
  await useReader(call, async (queue) => {
    if ((await printJobs(call, queryJobs(queue, expression))) > 0) return;
    throw new RqError('NO_JOB', `no job in ${queue.directory} matches ${expression}`);
  });
}
