import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../job/clock.ts';
import { errorCode } from '../../job/errors.ts';
import { bootId, hostName, pidNamespace } from '../../job/host.ts';
import { processStartTime } from '../../job/process.ts';
import { isUnchangedSince, sevenDaysAgo } from './unchanged.ts';

const NAME =
  /^\.(?<host>.+)\.(?<boot>[0-9a-f]{8})\.(?<namespace>\d+)\.(?<pid>\d+)\.(?<startTime>\d+)\.(?<id>[0-9a-f-]{36})$/;

export interface TemporaryName {
  readonly name: string;
  /** The id that the name was made with. */
  readonly id: string;
  /** Whether the process that made the file has ended. */
  readonly isAbandoned: boolean;
}

interface TemporaryNameOptions {
  readonly clock?: Clock;
  /** The paths of other files of the process with an id. While they change, the process has not ended. */
  readonly filesOf?: (id: string) => readonly string[];
}

/** A hidden name that was never used before. It identifies this process, so that others can see when it has ended. */
export function temporaryName(id: string = randomUUID()): string {
  const { pid } = process;
  const scope = `${shortHost()}.${ownBoot()}.${pidNamespace()}`;
  return `.${scope}.${pid}.${processStartTime(pid) ?? 0}.${id}`;
}

/** The temporary names in a folder. */
export function temporaryNames(folder: string, options: TemporaryNameOptions = {}): TemporaryName[] {
  const { clock = systemClock, filesOf = () => [] } = options;
  return readdirSync(folder).flatMap((name) => {
    const parts = NAME.exec(name)?.groups;
    if (parts === undefined) return [];
    const { id = '' } = parts;
    const areOld = (): boolean => isUnchangedSince(sevenDaysAgo(clock), [join(folder, name), ...filesOf(id)]);
    return [{ name, id, isAbandoned: isAbandoned(parts, areOld) }];
  });
}

/** Removes from a folder the temporary files of this host's processes that have ended. */
export function sweepAbandoned(folder: string, clock: Clock = systemClock): void {
  for (const { name } of temporaryNames(folder, { clock }).filter((each) => each.isAbandoned)) {
    try {
      rmSync(join(folder, name), { recursive: true, force: true });
    } catch (error) {
      // In a queue of a group, the file of another user may have to stay.
      if (errorCode(error) === undefined) throw error;
    }
  }
}

function isAbandoned(
  { host, boot, namespace, pid, startTime }: Record<string, string>,
  areOld: () => boolean,
): boolean {
  // Another boot may be another machine of the same name.
  if (boot !== ownBoot()) return host === shortHost() && areOld();
  return Number(namespace) === pidNamespace() && isGone(Number(pid), Number(startTime));
}

/** /proc may hide the process of another user (hidepid); kill(2) does not. A hidden process counts as alive. */
function isGone(pid: number, startTime: number): boolean {
  try {
    process.kill(pid, 0);
    const current = processStartTime(pid);
    return current !== undefined && current !== startTime;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/** Shortened, because a file name has at most 255 bytes. */
function shortHost(): string {
  return hostName().slice(0, 64);
}

function ownBoot(): string {
  return bootId().slice(0, 8);
}
