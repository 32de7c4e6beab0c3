import { join } from 'node:path';
import { execa } from 'execa';
import { errorMessage } from '../job/errors.ts';
import { seesLock } from '../queue/transaction/lock-probe.ts';
import { type Finding, problem } from './finding.ts';

/** What the other process says when it has the lock. */
const HELD = 'held';
/** Nothing of the user's settings is to reach the queue that is only tried. */
const OWN_SETTINGS = { RQ_OPTS: undefined, RQ_OPTIONS: undefined, RQ_Q: undefined, RQ_QUEUE: undefined };
/** Two programs have to start; a lock service that answers at all answers faster. */
const LEAST_TIMEOUT_MS = 10_000;
const WHY = 'the locks are what keeps two hosts from writing to the database at once';

/**
 * Tries POSIX locks: another process makes a database in the directory and locks it, and this one must see that. Locks
 * are taken in other processes first, which can be ended where a lock service never answers. `program`: what runs rq.
 */
export async function checkLocks(
  directory: string,
  { program, lockTimeoutMs }: { readonly program: readonly string[]; readonly lockTimeoutMs: number },
): Promise<Finding[]> {
  const timeoutMs = Math.max(lockTimeoutMs, LEAST_TIMEOUT_MS);
  const queue = join(directory, 'q');
  const [file = '', ...words] = program;
  const options = { env: OWN_SETTINGS, reject: false, timeout: timeoutMs } as const;
  const made = await execa(file, [...words, queue, 'create'], options);
  if (made.failed) return [brokenBy(made, timeoutMs)];
  const holder = execa(file, [...words, queue, 'lock', 'exclusive', '--', 'sh', '-c', `echo ${HELD}; cat`], options);
  let findings: Finding[] | undefined;
  for await (const line of holder.iterable()) {
    if (line !== HELD) continue;
    findings = judgeAttempt(join(queue, 'db'));
    holder.stdin.end();
  }
  return findings ?? [brokenBy(await holder, timeoutMs)];
}

function judgeAttempt(database: string): Finding[] {
  try {
    return seesLock(database) ? [] : [broken('a process does not see the lock of another')];
  } catch (error) {
    return [broken(`a database cannot be locked: ${errorMessage(error)}`)];
  }
}

function brokenBy({ timedOut, stderr }: { timedOut: boolean; stderr: string }, timeoutMs: number): Finding {
  if (timedOut) return broken(`a lock was not given within ${(timeoutMs / 1000).toFixed(0)} s`);
  return broken(`a database cannot be locked: ${stderr.split('\n')[0] ?? ''}`);
}

function broken(found: string): Finding {
  const advice = 'see that the lock service runs (NFS 3: rpc.statd on all hosts and the server), or mount it as NFS 4';
  return problem(found, WHY, advice);
}
