import { createQueue } from '../../../queue/create.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';

export const spec: CommandSpec = {
  name: 'create',
  short: ['c'],
  summary: 'create a queue',
  options: [
    {
      name: 'mode',
      type: 'text',
      value: 'MODE',
      choices: ['private', 'group'],
      help:
        'With "private" (the default), only you can use the queue. ' +
        'With "group", the members of the Unix group of the queue can also use it, and can run commands as you.',
    },
    {
      name: 'locking',
      type: 'text',
      value: 'KIND',
      choices: ['posix', 'lease'],
      help: '"posix" (the default) requires a mount with POSIX locks. "lease" works without POSIX locks, but is slower.',
    },
  ],
  report: ['path', 'database', 'locking', 'mount'],
  description: [
    'Creates the queue directory with an empty database. ' +
      'Prints the path of the queue, the path of the database, the kind of locking and the type of the file system. ' +
      '"create" refuses a directory that is not empty, and a mount that does not support the required locks.',
  ],
  examples: [
    ['rq ~/q create', 'create a private queue in an NFS home directory'],
    ['rq /lab/q create --mode group', 'create a queue for a group'],
  ],
};

/** Creates a queue and prints its path, database, locking and file system type. */
export async function run(call: CommandCall): Promise<undefined> {
  const access = call.options.text('mode') === 'group' ? 'group' : 'private';
  const locking = call.options.text('locking') === 'lease' ? 'lease' : 'posix';
  const { path, database, mount } = await createQueue(call.queue, { access, locking });
  await printReport(call, { path, database, locking, mount });
}
