import { lockProblem, mountOf } from '../queue/mount.ts';
import type { Queue } from '../queue/open.ts';
import { readServerClock } from '../queue/server-clock.ts';
import { offsetFindings } from './clock-offset.ts';
import { type Check, type Finding, notChecked, runCheck } from './finding.ts';
import { checkLocks } from './locks.ts';
import type { Probe } from './probe.ts';
import { checkWriting, diskFull } from './space.ts';

/** Results of the checks that need a directory in the queue. */
export interface ProbeResults {
  readonly checks: readonly Check[];
  /** Findings for the check `space`. */
  readonly space: readonly Finding[];
  /** The time of the file server, if it is known. */
  readonly serverNowMs: number | undefined;
  /** Locks work, as far as is known. */
  readonly hasLocks: boolean;
}

/** Checks the behaviour of the file system in a temporary directory. */
export async function checkProbe(queue: Queue, probe: Probe, program: readonly string[]): Promise<ProbeResults> {
  if (probe.kind !== 'made') return skipped(queue, probe);
  const { directory, signal } = probe;
  let serverNowMs: number | undefined;
  const locks = await runCheck(() => lockFindings(queue, directory, { program, signal }));
  const clock = await runCheck(() => {
    const server = readServerClock(directory, queue.clock);
    serverNowMs = server.nowMs;
    return offsetFindings(server.offsetMs, "this host's clock");
  });
  return {
    checks: Object.entries({ locks, clock }).map(([name, findings]) => ({ name, findings })),
    space: await runCheck(() => checkWriting(directory)),
    serverNowMs,
    hasLocks: locks.every(({ level }) => level !== 'problem'),
  };
}

async function lockFindings(
  queue: Queue,
  directory: string,
  options: { readonly program: readonly string[]; readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  // Every transaction of such a queue runs under the lease.
  if (queue.locking === 'lease') return [];
  if (lockProblem(mountOf(queue.directory)) === undefined) {
    return await checkLocks(directory, { ...options, lockTimeoutMs: queue.lockTimeoutMs });
  }
  return [notChecked('doctor did not check locks: hosts do not share locks on this mount', 'see the check "mount"')];
}

function skipped({ directory }: Queue, probe: Exclude<Probe, { kind: 'made' }>): ProbeResults {
  const advice =
    probe.kind === 'full'
      ? 'free some space'
      : 'run doctor as a user with write access, on a host that mounts the file system of the queue with the option rw';
  const findings = [notChecked(`cannot check the file system of ${directory}: ${probe.why}`, advice)];
  return {
    checks: ['locks', 'clock'].map((name) => ({ name, findings })),
    space: probe.kind === 'full' ? [diskFull()] : [],
    serverNowMs: undefined,
    hasLocks: true,
  };
}
