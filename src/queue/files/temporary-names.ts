import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { bootId, hostName, pidNamespace } from '../../job/host.ts';
import { processStartTime } from '../../job/process.ts';

const NAME = /^\.(?<host>.+)\.(?<boot>[0-9a-f]{8})\.(?<namespace>\d+)\.(?<pid>\d+)\.(?<startTime>\d+)\.[0-9a-f-]{36}$/;

/**
 * A name for a file in the making, in a folder that others read too: hidden, never used before, and telling
 * which process makes it, so that what a killed one left behind can be told from what is being made.
 */
export function temporaryName(): string {
  const { pid } = process;
  const place = `${shortHost()}.${ownBoot()}.${pidNamespace()}`;
  return `.${place}.${pid}.${processStartTime(pid) ?? 0}.${randomUUID()}`;
}

/** The names in a folder that are or were for files in the making, and which of them this machine's processes left. */
export function temporaryNames(folder: string): { readonly name: string; readonly isAbandoned: boolean }[] {
  const names = readdirSync(folder).filter((name) => NAME.test(name));
  return names.map((name) => ({ name, isAbandoned: isAbandoned(name) }));
}

/** Removes from a folder what processes of this machine left behind that are gone. */
export function sweepAbandoned(folder: string): void {
  for (const { name } of temporaryNames(folder).filter((each) => each.isAbandoned)) {
    try {
      rmSync(join(folder, name), { recursive: true, force: true });
    } catch (error) {
      // Of another user, in a queue of a group: theirs to sweep.
      if (errorCode(error) === undefined) throw error;
    }
  }
}

/** Whether a name is that of a file in the making, whose process was of this machine and is gone. */
function isAbandoned(name: string): boolean {
  const { host, boot, namespace, pid, startTime } = NAME.exec(name)?.groups ?? {};
  if (boot !== ownBoot()) return host === shortHost();
  return Number(namespace) === pidNamespace() && isGone(Number(pid), Number(startTime));
}

/** Another user's process may be hidden (hidepid), but not from kill(2): while there is one, it may be that. */
function isGone(pid: number, startTime: number): boolean {
  try {
    process.kill(pid, 0);
    const current = processStartTime(pid);
    return current !== undefined && current !== startTime;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/** As much of the host's name as leaves room: a file's name has 255 bytes at most. */
function shortHost(): string {
  return hostName().slice(0, 64);
}

function ownBoot(): string {
  return bootId().slice(0, 8);
}
