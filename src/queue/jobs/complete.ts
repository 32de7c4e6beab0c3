import { usedLanes } from '../../store/claim/lanes.ts';
import { lanesIn } from '../../store/claim/limits.ts';
import { type JobSummary, newestBeginningWith, tagsBeginningWith } from '../../store/completions.ts';
import type { Connection } from '../../store/connection.ts';
import { openQueue } from '../open.ts';
import { read } from '../transaction/read.ts';

/** Short, because a user waits for the completion of a word. */
const LOCK_TIMEOUT_MS = 1_000;

/** The first tags that begin with the text, in order. Throws as `openQueue` and `read`. */
export async function completeTag(path: string, text: string, limit: number): Promise<string[]> {
  return await readAt(path, (connection) => tagsBeginningWith(connection, text, limit));
}

/** The lanes that begin with the text, in order. Throws as `openQueue` and `read`. */
export async function completeLane(path: string, text: string, limit: number): Promise<string[]> {
  const names = await readAt(path, (connection) => [...usedLanes(connection), ...lanesIn(connection).keys()]);
  return [...new Set(names)]
    .filter((name) => name.startsWith(text))
    .sort()
    .slice(0, limit);
}

/** The newest jobs whose jid begins with the digits. Throws as `openQueue` and `read`. */
export async function completeJid(path: string, digits: string, limit: number): Promise<JobSummary[]> {
  return await readAt(path, (connection) => newestBeginningWith(connection, digits, limit));
}

async function readAt<T>(path: string, work: (connection: Connection) => T): Promise<T> {
  const queue = await openQueue(path, { lockTimeoutMs: LOCK_TIMEOUT_MS });
  try {
    return await read(queue, work);
  } finally {
    queue.close();
  }
}
