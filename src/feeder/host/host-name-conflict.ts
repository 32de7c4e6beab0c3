import { join } from 'node:path';
import type { Clock } from '../../job/clock.ts';
import { errorCode, RqError } from '../../job/errors.ts';
import { bootId, pidNamespace } from '../../job/host.ts';
import { processStartTime } from '../../job/process.ts';
import { readNodeFile } from '../../queue/nodes/node-file.ts';
import { HEARTBEAT_MS, nodePath } from '../../queue/nodes/nodes.ts';
import { readServerClock } from '../../queue/server-clock.ts';
import { readFeeder } from '../runtime/pid-file.ts';
import { readQueueRecord } from '../runtime/queue-record.ts';
import { readRunnerPid } from '../runtime/runner-pid.ts';

const POLL_MS = 1_000;
/** How long a feeder may take to exit after it has released its pid file. */
const EXIT_MS = 5_000;

/** The contents of `nodes/HOST` that identify the feeder that wrote it. */
interface NodeRecord {
  readonly boot: string;
  readonly namespace: number;
  readonly pid: number;
  readonly startTime: number;
  readonly runtime: string;
  readonly user: string;
  /** By the server's clock, in milliseconds. */
  readonly heartbeatMs: number;
}

/**
 * Refuses to feed (HOST_NAME_TAKEN) while another feeder uses the name of this host, because each would declare the jobs
 * of the other lost. The other one is a feeder or runner of this machine with another runtime directory, or another machine.
 * Waits for a heartbeat if the name was in use a moment ago by this machine before a reboot, or by a container on it.
 */
export async function refuseHostNameConflict(
  queueDirectory: string,
  host: string,
  runtimeDirectory: string,
  clock: Clock,
): Promise<void> {
  const record = readRecord(nodePath(queueDirectory, host));
  if (record === undefined) return;
  const isThisMachine = record.boot === bootId() && record.namespace === pidNamespace();
  const conflict = isThisMachine
    ? await localConflict(record, queueDirectory, runtimeDirectory, clock)
    : await remoteConflict(record, queueDirectory, host, clock);
  if (conflict === undefined) return;
  throw new RqError('HOST_NAME_TAKEN', `cannot feed from ${queueDirectory} as ${host}: ${conflict}`);
}

/** Describes a feeder or runner of this machine that uses the name; undefined if there is none. */
async function localConflict(
  record: NodeRecord,
  queueDirectory: string,
  runtimeDirectory: string,
  clock: Clock,
): Promise<string | undefined> {
  const { runtime, pid, user } = record;
  if (isOfAnotherQueue(runtime, runtimeDirectory)) return undefined;
  const isInUse = runtime === runtimeDirectory ? false : isRuntimeInUse(runtime);
  if (isInUse === undefined) {
    return `the user ${user} feeds or has fed from the queue under this name, and jobs of ${user} may still be running; ask ${user} to run: rq ${queueDirectory} stop`;
  }
  if (isInUse)
    return `a feeder with the runtime directory ${runtime} already uses this name; set RQ_RUNTIME_DIR to the same value`;
  if (await hasExited(record, clock)) return undefined;
  const where = `but its runtime directory ${runtime} is not visible (removed, or in a private /tmp)`;
  return `the feeder with pid ${pid} already uses this name, ${where}; end the feeder with: kill ${pid}`;
}

/** Describes another machine that uses the name; undefined if no heartbeat arrives. */
async function remoteConflict(
  { heartbeatMs }: NodeRecord,
  queueDirectory: string,
  host: string,
  clock: Clock,
): Promise<string | undefined> {
  const startMs = clock.monotonicMs();
  const serverNowMs = readServerClock(join(queueDirectory, 'nodes'), clock).nowMs;
  if (serverNowMs - heartbeatMs > 2 * HEARTBEAT_MS) return undefined;
  while (clock.monotonicMs() - startMs < HEARTBEAT_MS + 2 * POLL_MS) {
    const current = readRecord(nodePath(queueDirectory, host));
    if (current === undefined) return undefined;
    if (current.heartbeatMs !== heartbeatMs) {
      return 'another machine already uses this name; give each machine its own name with RQ_HOST';
    }
    await clock.sleep(POLL_MS);
  }
  return undefined;
}

function readRecord(path: string): NodeRecord | undefined {
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
      heartbeatMs: stats.mtimeMs,
    };
  } catch (error) {
    // ELOOP: no feeder makes a link; the first heartbeat replaces it.
    if (['ENOENT', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * Waits for a feeder to exit. A feeder that restarts is the parent of its successor and waits for it. After a failed
 * restart, the old feeder is this process.
 */
async function hasExited({ pid, startTime }: NodeRecord, clock: Clock): Promise<boolean> {
  if (pid === process.ppid || pid === process.pid) return true;
  const startMs = clock.monotonicMs();
  while (processStartTime(pid) === startTime) {
    if (clock.monotonicMs() - startMs > EXIT_MS) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}

/** Whether the node file was copied together with another queue. */
function isOfAnotherQueue(runtime: string, ownRuntime: string): boolean {
  const id = readQueueRecord(runtime)?.id;
  return id !== undefined && id !== readQueueRecord(ownRuntime)?.id;
}

/** Undefined if this user may not read the directory: it belongs to another user of a group's queue. */
function isRuntimeInUse(runtimeDirectory: string): boolean | undefined {
  try {
    return readFeeder(runtimeDirectory) !== undefined || readRunnerPid(runtimeDirectory) !== undefined;
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
