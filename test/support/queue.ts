import { join } from 'node:path';
import { completeEntry } from '../../src/job/fields.ts';
import type { Submission } from '../../src/job/job.ts';
import type { HostRoom } from '../../src/job/placement/room.ts';
import { createQueue } from '../../src/queue/create.ts';
import { openQueue, type Queue, type QueueOptions } from '../../src/queue/open.ts';
import { read } from '../../src/queue/transaction/read.ts';
import type { ClaimRequest, MayRun } from '../../src/store/claim/claims.ts';
import { ShapeIds } from '../../src/store/claim/shapes.ts';
import type { Connection } from '../../src/store/connection.ts';
import { ALONE, insertJob, lastJid } from '../../src/store/submissions.ts';
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

/** What a host with this number of free cpus can take. */
export function roomFor(cpus: number): HostRoom {
  return { cpus, ahead: 0, memory: null, gpus: 0, resources: {} };
}

/** What a host requests that may run every job, or those for whose hosts `mayRun` is true. */
export function claimRequest(cpus: number, mayRun: MayRun = () => true): ClaimRequest {
  return { room: roomFor(cpus), mayRun, rules: { maxPerUser: null, isFair: false, reserveAfterS: null } };
}

/** Adds a job to a database, with the next jid. */
export function addJob(
  connection: Connection,
  job: Submission,
  by = { submitted: '2026-01-01T00:00:00.000Z', submitter: 's', owner: 'o' },
): number {
  const jid = lastJid(connection) + 1;
  const shape = new ShapeIds(connection).of({ ...job, owner: by.owner }, null);
  insertJob(connection, jid, job, by, { ...ALONE, shape });
  return jid;
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
