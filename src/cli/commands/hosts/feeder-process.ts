import { resolve } from 'node:path';
import { type FeederRecord, readFeeder } from '../../../feeder/runtime/pid-file.ts';
import { runtimeDirectory } from '../../../feeder/runtime/queue-record.ts';
import { systemClock } from '../../../job/clock.ts';
import { errorCode, RqError } from '../../../job/errors.ts';
import { hostName } from '../../../job/host.ts';
import { runningJobs } from '../../../queue/exchange/exchange.ts';
import { openQueue } from '../../../queue/open.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

const POLL_MS = 50;

/** This host's feeder of a queue, or undefined. Throws NO_QUEUE. */
export async function findFeeder(queuePath: string): Promise<FeederRecord | undefined> {
  (await openQueue(queuePath, { lockTimeoutMs: 0 })).close();
  return readFeeder(runtimeDirectory(resolve(queuePath)));
}

/** As `findFeeder`. Throws NO_FEEDER if there is none. */
export async function requireFeeder(queuePath: string): Promise<FeederRecord> {
  const feeder = await findFeeder(queuePath);
  if (feeder !== undefined) return feeder;
  throw new RqError(
    'NO_FEEDER',
    `no feeder is running for ${resolve(queuePath)} on ${hostName()}; start one with: rq ${queuePath} start`,
  );
}

/** Signals a feeder. It is not an error if the feeder has just ended. */
export function signalFeeder({ pid }: FeederRecord, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** After a feeder has ended: throws IO if jobs of its host still run, because it was killed or its runner hangs. */
export async function refuseLeftRunning(call: CommandCall, { host, pid }: FeederRecord, again: string): Promise<void> {
  if ((await findFeeder(call.queue)) !== undefined) return;
  const { length } = await useQueue(call, (queue) => runningJobs(queue, host));
  if (length === 0) return;
  const jobs = length === 1 ? '1 job is still running' : `${length} jobs are still running`;
  throw new RqError(
    'IO',
    `cannot end all jobs of ${call.queue}: the feeder with pid ${pid} has ended, but ${jobs} on ${host}; ${again}`,
  );
}

/** Waits until a feeder has ended or another feeder has replaced it. */
export async function feederIsGone(queuePath: string, { pid }: FeederRecord): Promise<void> {
  const directory = runtimeDirectory(resolve(queuePath));
  while (readFeeder(directory)?.pid === pid) await systemClock.sleep(POLL_MS);
}
