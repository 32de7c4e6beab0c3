import { newestJids, tagsFrom } from '../store/completions.ts';
import type { Queue } from './open.ts';
import { read } from './read.ts';

const MAX_CANDIDATES = 200;

/** Tags of a queue's jobs that begin with a text. */
export async function tagCandidates(queue: Queue, prefix: string): Promise<string[]> {
  return await read(queue, (connection) => tagsFrom(connection, prefix, MAX_CANDIDATES));
}

/** The newest jids of a queue that begin with a text. */
export async function jidCandidates(queue: Queue, prefix: string): Promise<string[]> {
  return await read(queue, (connection) => newestJids(connection, prefix, MAX_CANDIDATES));
}
