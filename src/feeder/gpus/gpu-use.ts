import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { bootId } from '../../job/host.ts';
import { processStartTime } from '../../job/process.ts';
import { type JournaledAttempt, readJournal } from '../../runner/journal/journal-entries.ts';
import { probeRunner } from '../../runner/probe.ts';
import { readFeeder } from '../runtime/pid-file.ts';

/** The time in which a runner must answer. One that does not answer counts as alive. */
const PROBE_MS = 1_000;

/**
 * Whether the feeder of a runtime directory may still use a GPU that it has reserved. While its runner lives, the feeder
 * may be restarting, or the runner may be about to start a job that a killed feeder has sent.
 */
export async function isGpuInUse(runtimeDirectory: string, device: string): Promise<boolean> {
  if (readFeeder(runtimeDirectory) !== undefined) return true;
  if ((await probeRunner(runtimeDirectory, PROBE_MS)) !== undefined) return true;
  return isHeldByAttempt(runtimeDirectory, device);
}

/** Whether the journal of a runtime directory contains an attempt that has the GPU and still runs. */
export function isHeldByAttempt(runtimeDirectory: string, device: string): boolean {
  const journal = readJournal(join(runtimeDirectory, 'journal'));
  if (journal === undefined || journal.boot !== bootId()) return false;
  return [...journal.attempts.values()].some((attempt) => {
    return attempt.holding?.devices.includes(device) === true && mayRun(attempt);
  });
}

/** An attempt without a process may have been started by a runner that was killed before it knew the process. */
function mayRun({ exit, process: leader }: JournaledAttempt): boolean {
  if (exit !== undefined) return false;
  if (leader === undefined) return true;
  try {
    const startTime = processStartTime(leader.pid);
    return startTime !== undefined && (leader.start_time === null || startTime === leader.start_time);
  } catch (error) {
    // A process of another user has this pid now.
    if (['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}
