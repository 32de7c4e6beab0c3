import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import { processStartTime } from '../../job/process.ts';
import { isPrivateDirectory } from '../../job/runtime-directory.ts';
import { withLocalLock } from '../../lease/local-lock.ts';

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

const TIMEOUT_MS = 60_000;
/** The file of a process that wants to be the feeder, named after its pid and start time. */
const CLAIM = /^feeder\.pid\.(\d+)\.(\d+)$/;

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
 * Makes this process the host's feeder. Throws FEEDER_EXISTS if there is another one. The lock admits one process at a
 * time. If a fault of the library admits two, at most one of them becomes the feeder: each first writes a claim, and gives
 * up if it then finds a claim or a record of another process that runs.
 */
export async function acquirePidFile(
  runtimeDirectory: string,
  record: Omit<FeederRecord, 'pid' | 'startTime'>,
): Promise<void> {
  await withLocalLock(join(runtimeDirectory, 'feeder'), TIMEOUT_MS, () => {
    const own: FeederRecord = { pid: process.pid, startTime: processStartTime(process.pid) ?? 0, ...record };
    const claim = join(runtimeDirectory, `feeder.pid.${own.pid}.${own.startTime}`);
    writeFileSync(claim, JSON.stringify(own), { mode: 0o600 });
    // In this order: a claim becomes the record.
    const other = readOtherClaim(runtimeDirectory, own) ?? readFeeder(runtimeDirectory);
    if (other !== undefined && other.pid !== own.pid) {
      rmSync(claim);
      throw feederExists(other);
    }
    renameSync(claim, join(runtimeDirectory, 'feeder.pid'));
  });
}

/** The claim of another process that runs. Removes the claims of processes that were killed. */
function readOtherClaim(runtimeDirectory: string, own: FeederRecord): FeederRecord | undefined {
  for (const name of readdirSync(runtimeDirectory)) {
    const [, pid, startTime] = CLAIM.exec(name) ?? [];
    if (pid === undefined || Number(pid) === own.pid) continue;
    if (isOwnProcess(Number(pid), Number(startTime))) return { ...own, pid: Number(pid), startTime: Number(startTime) };
    rmSync(join(runtimeDirectory, name), { force: true });
  }
  return undefined;
}

/** The error of a second feeder on a host. */
export function feederExists({ queue, host, pid, since }: FeederRecord): RqError {
  return new RqError(
    'FEEDER_EXISTS',
    `cannot feed from ${queue} on ${host}: the feeder with pid ${pid} has been running since ${since}`,
    { facts: { pid, queue } },
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
