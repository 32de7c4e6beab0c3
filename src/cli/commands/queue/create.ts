import { createQueue } from '../../../queue/create.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';

/** Makes a queue and prints its path, database, locking and mount type. */
export async function run(call: CommandCall): Promise<undefined> {
  const access = call.options.text('mode') === 'group' ? 'group' : 'private';
  const locking = call.options.text('locking') === 'lease' ? 'lease' : 'posix';
  const { path, database, mount } = await createQueue(call.queue, { access, locking });
  await printReport(call, { path, database, locking, mount });
}
