import { join } from 'node:path';
import type { Clock } from '../../job/clock.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { bootId, pidNamespace } from '../../job/host.ts';
import { processStartTime } from '../../job/process.ts';
import { readNodeFile } from '../../queue/nodes/node-file.ts';
import { nodePath } from '../../queue/nodes/nodes.ts';
import { readServerClock } from '../../queue/server-clock.ts';
import { readFeeder } from '../pid-file.ts';
import { readRunnerPid } from '../start/runner-pid.ts';
import { BEAT_MS } from './heartbeat.ts';

const LOOK_MS = 1_000;
/** A feeder that has resigned may take so long to end. */
const ENDING_MS = 5_000;

/**
 * Refuses to feed beside another that goes by this host's name, for each would take the other's jobs for lost ones: a
 * feeder or runner of this machine with a runtime directory that this process does not use or see, or another machine
 * (HOST_NAME_TAKEN). Waits for a beat where the name was used a moment ago by what may be this machine before it was
 * booted again, or a container on it.
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
  const refusal = (why: string): RqError =>
    new RqError('HOST_NAME_TAKEN', `cannot feed ${queueDirectory} as ${host}: ${why}`);
  const { runtime, pid } = before;
  if (before.boot === bootId() && before.namespace === pidNamespace()) {
    const isSame = runtime === runtimeDirectory;
    const isInUse = isSame ? false : isUsed(runtime);
    if (isInUse === undefined) {
      throw refusal(
        `one of the user ${before.user} does or did, whose jobs may still run; have them ended by: rq ${queueDirectory} stop`,
      );
    }
    if (isInUse) {
      throw refusal(`one with the runtime directory ${runtime} does; set RQ_RUNTIME_DIR as it has`);
    }
    if (await hasEnded(before, clock)) return;
    const where = `whose runtime directory ${runtime} is not seen here (was it removed, or is it another's /tmp?)`;
    throw refusal(`the feeder with pid ${pid} does, ${where}; end it with: kill ${pid}`);
  }
  const startMs = clock.monotonicMs();
  if (readServerClock(join(queueDirectory, 'nodes'), clock).nowMs - before.beatMs > 2 * BEAT_MS) return;
  while (clock.monotonicMs() - startMs < BEAT_MS + 2 * LOOK_MS) {
    const now = readNode(path);
    if (now === undefined) return;
    if (now.beatMs !== before.beatMs) {
      throw refusal('another machine of that name does; give each a name of its own with RQ_HOST');
    }
    await clock.sleep(LOOK_MS);
  }
}

interface Seen {
  readonly boot: string;
  readonly namespace: number;
  readonly pid: number;
  readonly startTime: number;
  readonly runtime: string;
  readonly user: string;
  /** By the server's clock, in milliseconds. */
  readonly beatMs: number;
}

function readNode(path: string): Seen | undefined {
  try {
    const node = readNodeFile(path);
    if (node === undefined) return undefined;
    const { facts, stats } = node;
    return {
      boot: facts['boot'] ?? '',
      namespace: Number(facts['namespace']),
      pid: Number(facts['pid']),
      startTime: Number(facts['start_time']),
      runtime: facts['runtime'] ?? '',
      user: facts['user'] ?? '',
      beatMs: stats.mtimeMs,
    };
  } catch (error) {
    // A link is none of a feeder's; its beat replaces it.
    if (['ENOENT', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** The process that a feeder restarts from waits for it, or is about to end. */
async function hasEnded({ pid, startTime }: Seen, clock: Clock): Promise<boolean> {
  if (pid === process.ppid) return true;
  const startMs = clock.monotonicMs();
  while (processStartTime(pid) === startTime) {
    if (clock.monotonicMs() - startMs > ENDING_MS) return false;
    await clock.sleep(LOOK_MS);
  }
  return true;
}

/** Undefined where this user may not look: another's, in a queue of a group. */
function isUsed(runtimeDirectory: string): boolean | undefined {
  try {
    return readFeeder(runtimeDirectory) !== undefined || readRunnerPid(runtimeDirectory) !== undefined;
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
