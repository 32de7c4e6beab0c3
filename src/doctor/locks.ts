import { join } from 'node:path';
import { errorMessage } from '../job/errors.ts';
import { runProgram } from '../job/run-program.ts';
import { seesLock } from '../queue/transaction/lock-probe.ts';
import { type Finding, problem } from './finding.ts';

/** Printed by the other process when it has the lock. */
const HELD = 'held';
/** The user's settings must not apply to the temporary queue. */
const OWN_SETTINGS = { RQ_OPTS: undefined, RQ_OPTIONS: undefined, RQ_Q: undefined, RQ_QUEUE: undefined };
/** Long enough to start two programs. */
const MIN_TIMEOUT_MS = 10_000;

interface LockCheck {
  /** The command line that runs rq. */
  readonly program: readonly string[];
  readonly lockTimeoutMs: number;
  /** Ends the other processes. */
  readonly signal: AbortSignal;
}

/**
 * Checks POSIX locks: another process creates and locks a database in the directory, and this one must see the lock.
 * Other processes take locks first, because they can be killed if the lock service never answers.
 */
export async function checkLocks(directory: string, { program, lockTimeoutMs, signal }: LockCheck): Promise<Finding[]> {
  const timeoutMs = Math.max(lockTimeoutMs, MIN_TIMEOUT_MS);
  const queue = join(directory, 'q');
  const [file = '', ...parameters] = program;
  const options = { env: OWN_SETTINGS, reject: false, timeout: timeoutMs, cancelSignal: signal } as const;
  const made = await runProgram(file, [...parameters, queue, 'create'], options);
  if (made.failed) return [brokenBy(made, timeoutMs)];
  const holder = runProgram(
    file,
    [...parameters, queue, 'lock', 'exclusive', '--', 'sh', '-c', `echo ${HELD}; cat`],
    options,
  );
  let findings: Finding[] | undefined;
  for await (const line of holder.iterable()) {
    if (line !== HELD) continue;
    findings = lockFindings(join(queue, 'db'));
    holder.stdin.end();
  }
  return findings ?? [brokenBy(await holder, timeoutMs)];
}

function lockFindings(database: string): Finding[] {
  try {
    return seesLock(database) ? [] : [broken('a process does not see the lock of another process')];
  } catch (error) {
    return [broken(`cannot lock a database: ${errorMessage(error)}`)];
  }
}

function brokenBy({ timedOut, stderr }: { timedOut: boolean; stderr: string }, timeoutMs: number): Finding {
  if (timedOut) return broken(`a lock was not granted within ${(timeoutMs / 1000).toFixed(0)} s`);
  return broken(`cannot lock a database: ${stderr.split('\n')[0] ?? ''}`);
}

function broken(found: string): Finding {
  return problem(
    found,
    'without locks, two hosts can write to the database at the same time and damage it',
    'check that the lock service is running (on NFS 3, rpc.statd on all hosts and the server), or mount the queue as NFS 4',
  );
}
