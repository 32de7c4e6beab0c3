import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { errorCode, RqError } from '../job/errors.ts';
import { bootId } from '../job/host.ts';
import { readNodeFile } from '../queue/node-file.ts';
import { nodePath } from '../queue/nodes.ts';
import { readServerClock } from '../queue/server-clock.ts';
import { BEAT_MS } from './beat.ts';
import { readFeeder } from './pid-file.ts';
import { readRunnerPid } from './runner-pid.ts';

const LOOK_MS = 1_000;

/**
 * Refuses to feed beside another that goes by this host's name, for each would take the other's jobs for lost ones: a
 * feeder or runner of this machine with another runtime directory, or another machine (HOST_NAME_TAKEN). Waits for a beat
 * where the name was used a moment ago by what may be this machine before it was booted again.
 */
export async function refuseNamesake(
  queueDirectory: string,
  host: string,
  runtimeDirectory: string,
  clock: Clock,
): Promise<void> {
  const path = nodePath(queueDirectory, host);
  const before = readNode(path);
  if (before === undefined) return;
  if (before.boot === bootId()) {
    if (before.runtime === runtimeDirectory || !isInUse(before.runtime)) return;
    throw namesake(
      queueDirectory,
      host,
      `one with the runtime directory ${before.runtime} does; set RQ_RUNTIME_DIR as it has`,
    );
  }
  const startMs = clock.monotonicMs();
  if (readServerClock(join(queueDirectory, 'nodes'), clock).nowMs - before.beatMs > 2 * BEAT_MS) return;
  while (clock.monotonicMs() - startMs < BEAT_MS + 2 * LOOK_MS) {
    const now = readNode(path);
    if (now === undefined) return;
    if (now.beatMs !== before.beatMs) {
      throw namesake(
        queueDirectory,
        host,
        'another machine of that name does; give each a name of its own with RQ_HOST',
      );
    }
    await clock.sleep(LOOK_MS);
  }
}

interface Seen {
  readonly boot: string;
  readonly runtime: string;
  /** By the server's clock, in milliseconds. */
  readonly beatMs: number;
}

function readNode(path: string): Seen | undefined {
  try {
    const node = readNodeFile(path);
    if (node === undefined) return undefined;
    const { facts, stats } = node;
    return { boot: facts['boot'] ?? '', runtime: facts['runtime'] ?? '', beatMs: stats.mtimeMs };
  } catch (error) {
    // A link is none of a feeder's; its beat replaces it.
    if (['ENOENT', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function isInUse(runtimeDirectory: string): boolean {
  return readFeeder(runtimeDirectory) !== undefined || readRunnerPid(runtimeDirectory) !== undefined;
}

function namesake(queueDirectory: string, host: string, why: string): RqError {
  return new RqError('HOST_NAME_TAKEN', `cannot feed ${queueDirectory} as ${host}: ${why}`);
}
