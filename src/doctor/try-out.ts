import { lockProblem, mountOf } from '../queue/mount.ts';
import type { Queue } from '../queue/open.ts';
import { readServerClock } from '../queue/server-clock.ts';
import { findingsOf } from './attempt.ts';
import { judgeOffset } from './clock-offset.ts';
import { checkExclusive, checkRename } from './file-calls.ts';
import { type Check, type Finding, notChecked } from './finding.ts';
import { checkLocks } from './locks.ts';
import type { Probe } from './probe.ts';
import { noRoom, tryToWrite } from './space.ts';

/** What can only be found out by doing it. */
export interface Tried {
  readonly checks: readonly Check[];
  /** What it says of space. */
  readonly space: readonly Finding[];
  /** By the server's clock; undefined where nothing could be made. */
  readonly serverNowMs: number | undefined;
  /** Nothing speaks against it that locks can be taken, and are given in time. */
  readonly hasLocks: boolean;
}

/** Tries out what a queue's file system does, in a directory that was made for that. */
export async function tryOut(queue: Queue, probe: Probe, program: readonly string[]): Promise<Tried> {
  if (probe.kind !== 'made') return untried(queue, probe);
  const { directory } = probe;
  let serverNowMs: number | undefined;
  const locks = await findingsOf(() => lockFindings(queue, directory, program));
  const exclusive = await findingsOf(() => checkExclusive(directory));
  const rename = await findingsOf(() => checkRename(directory));
  const clock = await findingsOf(() => {
    const server = readServerClock(directory, queue.clock);
    serverNowMs = server.nowMs;
    return judgeOffset(server.offsetMs, "this host's clock");
  });
  return {
    checks: Object.entries({ locks, exclusive, rename, clock }).map(([name, findings]) => ({ name, findings })),
    space: await findingsOf(() => tryToWrite(directory)),
    serverNowMs,
    hasLocks: locks.every(({ level }) => level !== 'problem'),
  };
}

async function lockFindings(queue: Queue, directory: string, program: readonly string[]): Promise<readonly Finding[]> {
  // Without them every transaction is under the lease.
  if (queue.locking === 'lease') return [];
  if (lockProblem(mountOf(queue.directory)) === undefined) {
    return await checkLocks(directory, { program, lockTimeoutMs: queue.lockTimeoutMs });
  }
  return [notChecked('locks were not tried: hosts do not see those of each other', 'see what is said of the mount')];
}

function untried({ directory }: Queue, probe: Exclude<Probe, { kind: 'made' }>): Tried {
  const found = `nothing was tried in ${directory}: ${probe.why}`;
  const findings = [
    notChecked(found, probe.kind === 'full' ? 'make room' : 'run it as a user who may, on a host that may'),
  ];
  return {
    checks: ['locks', 'exclusive', 'rename', 'clock'].map((name) => ({ name, findings })),
    space: probe.kind === 'full' ? [noRoom()] : [],
    serverNowMs: undefined,
    hasLocks: true,
  };
}
