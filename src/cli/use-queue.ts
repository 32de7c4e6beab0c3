import { join } from 'node:path';
import { openQueue, type Queue } from '../queue/open.ts';
import type { CommandCall } from './parse/command-call.ts';
import { lockTimeoutMs } from './parse/lock-timeout.ts';
import { withPrivateDirectory } from './private-directory.ts';

/** Opens the queue of a call, hands it to the work, and closes it whatever comes of that. */
export async function useQueue<Result>(call: CommandCall, work: (queue: Queue) => Promise<Result>): Promise<Result> {
  const queue = await openQueue(call.queue, { lockTimeoutMs: lockTimeoutMs(call) });
  try {
    return await work(queue);
  } finally {
    queue.close();
  }
}

/** As `useQueue`, for commands that only read: with `--snapshot` on a private copy of the database, removed afterwards. */
export async function useReader<Result>(call: CommandCall, work: (queue: Queue) => Promise<Result>): Promise<Result> {
  if (!call.options.flag('snapshot')) return await useQueue(call, work);
  return await withPrivateDirectory('rq-snapshot-', async (directory) => {
    const copy = join(directory, 'db');
    const { copyDatabase } = await import('../queue/archive/copy-database.ts');
    await useQueue(call, (queue) => copyDatabase(queue, copy));
    const reader = await openQueue(call.queue, { lockTimeoutMs: lockTimeoutMs(call), copy });
    try {
      return await work(reader);
    } finally {
      reader.close();
    }
  });
}
