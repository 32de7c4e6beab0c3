import { join } from 'node:path';
import type { Submission } from '../../src/job/job.ts';
import { createQueue } from '../../src/queue/create.ts';
import { openQueue, type Queue, type QueueOptions } from '../../src/queue/open.ts';
import { read } from '../../src/queue/transaction/read.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A new queue in a directory of its own. */
export async function newQueue(options: Partial<QueueOptions> & { locking?: 'posix' | 'lease' } = {}): Promise<Queue> {
  const path = join(temporaryDirectory(), 'q');
  await createQueue(path, { access: 'private', locking: options.locking ?? 'posix' });
  return await openQueue(path, { lockTimeoutMs: 30_000, ...options });
}

/** A plain job. */
export function submission(command: string, more: Partial<Submission> = {}): Submission {
  return {
    command,
    priority: 0,
    tag: null,
    runners: null,
    restartable: false,
    cwd: '/tmp',
    stage: false,
    stdin: null,
    data: null,
    ...more,
  };
}

/** How many jobs have a tag. */
export async function countTagged(queue: Queue, tag: string): Promise<number> {
  return await read(queue, (connection) =>
    Number(connection.get('SELECT count(*) AS jobs FROM jobs WHERE tag = ?', [tag])?.['jobs']),
  );
}

/** What SQLite says of the database: `ok`. */
export async function integrity(queue: Queue): Promise<unknown> {
  return await read(queue, (connection) => connection.get('PRAGMA integrity_check')?.['integrity_check']);
}
