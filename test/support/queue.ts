import { join } from 'node:path';
import { completeEntry } from '../../src/job/fields.ts';
import type { Submission } from '../../src/job/job.ts';
import { createQueue } from '../../src/queue/create.ts';
import { openQueue, type Queue, type QueueOptions } from '../../src/queue/open.ts';
import { read } from '../../src/queue/transaction/read.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Creates a queue in a new directory. */
export async function newQueue(options: Partial<QueueOptions> & { locking?: 'posix' | 'lease' } = {}): Promise<Queue> {
  const path = join(temporaryDirectory(), 'q');
  await createQueue(path, { access: 'private', locking: options.locking ?? 'posix' });
  return await openQueue(path, { lockTimeoutMs: 30_000, ...options });
}

/** A submission with defaults for all fields but the command. */
export function submission(command: string, more: Partial<Submission> = {}): Submission {
  return { ...completeEntry({ command, cwd: '/tmp' }), stage: false, ...more };
}

/** The number of jobs with a tag. */
export async function countTagged(queue: Queue, tag: string): Promise<number> {
  return await read(queue, (connection) =>
    Number(connection.get('SELECT count(*) AS jobs FROM jobs WHERE tag = ?', [tag])?.['jobs']),
  );
}

/** The result of `PRAGMA integrity_check`: `ok` for a sound database. */
export async function integrity(queue: Queue): Promise<unknown> {
  return await read(queue, (connection) => connection.get('PRAGMA integrity_check')?.['integrity_check']);
}
