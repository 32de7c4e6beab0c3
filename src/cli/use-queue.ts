import { join } from 'node:path';
import { openQueue, type Queue } from '../queue/open.ts';
import type { CommandCall } from './parse/command-call.ts';
import { lockTimeoutMs } from './parse/lock-timeout.ts';
import { withPrivateDirectory } from './private-directory.ts';

/** Opens the queue of a call for the work, and closes it afterwards. */
export async function useQueue<Result>(
  call: CommandCall,
  work: (queue: Queue) => Promise<Result>,
  copy?: string,
): Promise<Result> {
  const options = {
    lockTimeoutMs: lockTimeoutMs(call),
    activity: call.activity,
    ...(copy === undefined ? {} : { copy }),
  };
  const queue = await openQueue(call.queue, options);
  try {
    return await work(queue);
  } finally {
    queue.close();
  }
}

/** As `useQueue`, for commands that only read. With `--snapshot` they read a temporary private copy of the database. */
export async function useReader<Result>(call: CommandCall, work: (queue: Queue) => Promise<Result>): Promise<Result> {
  if (!call.options.flag('snapshot')) return await useQueue(call, work);
  return await withPrivateDirectory('rq-snapshot-', async (directory) => {
    const copy = join(directory, 'db');
    const { copyDatabase } = await import('../queue/archive/copy-database.ts');
    await useQueue(call, (queue) => copyDatabase(queue, copy));
    return await useQueue(call, work, copy);
  });
}
