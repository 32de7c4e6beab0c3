import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../job/clock.ts';
import { errorMessage, RqError } from '../job/errors.ts';
import { ensureRuntimeDirectory } from '../job/runtime-directory.ts';
import { probeRunner, socketPath } from './probe.ts';
import type { ServerHello } from './protocol/protocol.ts';

const MAX_LOG_BYTES = 1024 * 1024;
const ANSWER_MS = 10_000;
/** On a host that has more to do than it can a program takes long to load; one that fails is seen to end. */
const LAUNCH_MS = 60_000;
const IDLE_MS = 30_000;
/**
 * For V8 (node --v8-options). The runner makes little garbage and a fork pays for its size: it is to collect early. Its
 * optimizing compiler costs 3.5 MB, and as much time in 6,000 jobs as it saves.
 */
const FLAGS = ['--max-semi-space-size=1', '--no-opt'];

/**
 * Node tells of a child that a real-time signal ended that it exited with 0 (it has no names for them), and a job would
 * be taken for well. So they are ignored, by the runner and by all jobs that do not ask for them: what is ignored stays
 * so through exec (execve(2)). One that the shell does not know would end it, and is tried aside first.
 */
const IGNORING_REAL_TIME_SIGNALS =
  'n=34; while [ $n -le 64 ]; do (trap "" $n) 2>/dev/null && trap "" $n; n=$((n + 1)); done; exec "$@"';

export interface LaunchOptions {
  /** How long a runner that is there may take to answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** The runner exits when nobody was connected and nothing ran for so long, in milliseconds. */
  readonly idleMs?: number;
}

/**
 * Sees to it that a runner answers in the runtime directory, which is made if need be: the one that is there, or a new
 * one, detached, from `program` (the path of the bundle runner.cjs). Throws RUNNER with what its log says last.
 */
export async function launchRunner(
  directory: string,
  program: string,
  options: LaunchOptions = {},
): Promise<ServerHello> {
  const { timeoutMs = ANSWER_MS, idleMs = IDLE_MS } = options;
  ensureRuntimeDirectory(directory);
  socketPath(directory);
  let found = await probeRunner(directory, timeoutMs);
  if (found === 'silent') throw notStarted(directory, `one is there and did not answer within ${timeoutMs / 1000} s`);
  if (found !== undefined) return found;
  const launched = new LaunchedProgram(directory, program, idleMs);
  const startMs = systemClock.monotonicMs();
  const remainingMs = (): number => Math.max(0, startMs + LAUNCH_MS - systemClock.monotonicMs());
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 1.3, 100)) {
    found = await probeRunner(directory, remainingMs());
    if (found !== undefined && found !== 'silent') return found;
    const cause = launched.failure ?? (remainingMs() === 0 ? `no answer within ${LAUNCH_MS / 1000} s` : undefined);
    if (cause !== undefined) throw notStarted(directory, cause);
    await systemClock.sleep(pauseMs);
  }
}

/** The detached process; one that exits with 0 has found another runner, which is as good. */
class LaunchedProgram {
  failure: string | undefined;

  constructor(directory: string, program: string, idleMs: number) {
    const log = openLog(join(directory, 'runner.log'));
    let child: ChildProcess;
    try {
      const words = [process.execPath, ...FLAGS, program, directory, String(idleMs)];
      child = spawn('/bin/sh', ['-c', IGNORING_REAL_TIME_SIGNALS, 'sh', ...words], {
        cwd: '/',
        detached: true,
        stdio: ['ignore', log, log],
      });
    } finally {
      closeSync(log);
    }
    child.once('error', (error) => {
      this.failure = errorMessage(error);
    });
    child.once('exit', (status, signal) => {
      if (status !== 0) this.failure = `it ended with ${status ?? signal}`;
    });
    child.unref();
  }
}

function openLog(path: string): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  if (fstatSync(descriptor).size > MAX_LOG_BYTES) ftruncateSync(descriptor);
  return descriptor;
}

function notStarted(directory: string, cause: string): RqError {
  const log = join(directory, 'runner.log');
  const last = lastLine(log);
  return new RqError(
    'RUNNER',
    `cannot start the runner in ${directory}: ${cause}; see ${log}, its last line: ${last}`,
    {
      facts: { code: 'NO_RUNNER', directory },
    },
  );
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  } catch (error) {
    return errorMessage(error);
  }
}
