import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '../job/clock.ts';
import { errorCode, RqError } from '../job/errors.ts';
import { processStartTime } from '../job/process.ts';
import { isPrivateDirectory } from '../job/runtime-directory.ts';
import { acquireLease } from '../lease/lease.ts';

/** The contents of the pid file, for other processes of the host. */
export interface FeederRecord {
  readonly pid: number;
  /** In clock ticks since boot. Together with the pid it identifies the process. */
  readonly startTime: number;
  readonly since: string;
  readonly slots: number;
  readonly host: string;
  readonly queue: string;
}

const STALE_MS = 5_000;
const TIMEOUT_MS = 60_000;

/**
 * Reads which feeder runs on this host; undefined if none does. Ignores the file of a killed feeder, and a file that
 * another user could have written.
 */
export function readFeeder(runtimeDirectory: string): FeederRecord | undefined {
  let text: string;
  try {
    if (!isPrivateDirectory(dirname(runtimeDirectory)) || !isPrivateDirectory(runtimeDirectory)) return undefined;
    text = readFileSync(join(runtimeDirectory, 'feeder.pid'), 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  const record = parseRecord(text);
  return record !== undefined && isOwnProcess(record.pid, record.startTime) ? record : undefined;
}

/**
 * Makes this process the host's feeder. Throws FEEDER_EXISTS if there is another one. A lease in the local directory
 * makes the check and the write one step.
 */
export async function acquirePidFile(
  runtimeDirectory: string,
  record: Omit<FeederRecord, 'pid' | 'startTime'>,
): Promise<void> {
  const lease = await acquireLease(runtimeDirectory, { clock: systemClock, timeoutMs: TIMEOUT_MS, staleMs: STALE_MS });
  try {
    const other = readFeeder(runtimeDirectory);
    if (other !== undefined && other.pid !== process.pid) throw feederExists(other);
    const path = join(runtimeDirectory, 'feeder.pid');
    const own: FeederRecord = { pid: process.pid, startTime: processStartTime(process.pid) ?? 0, ...record };
    writeFileSync(`${path}.new`, JSON.stringify(own), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } finally {
    await lease.release();
  }
}

/** The error of a second feeder on a host. */
export function feederExists({ queue, host, pid, since }: FeederRecord): RqError {
  return new RqError(
    'FEEDER_EXISTS',
    `cannot feed ${queue} on ${host}: the feeder with pid ${pid} does, since ${since}`,
    { facts: { pid } },
  );
}

/** Removes the pid file if this process is the host's feeder. */
export function releasePidFile(runtimeDirectory: string): void {
  if (readFeeder(runtimeDirectory)?.pid === process.pid) rmSync(join(runtimeDirectory, 'feeder.pid'), { force: true });
}

function isOwnProcess(pid: number, startTime: number): boolean {
  try {
    return processStartTime(pid) === startTime;
  } catch (error) {
    // A process of another user has this pid now.
    if (['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

function parseRecord(text: string): FeederRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<FeederRecord>;
    return typeof record.pid === 'number' && typeof record.startTime === 'number'
      ? (record as FeederRecord)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
