import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../job/clock.ts';
import { errorMessage, RqError } from '../job/errors.ts';
import { ensureRuntimeDirectory } from '../job/runtime-directory.ts';
import { probeRunner, starterSocketPath } from './probe.ts';
import type { ServerHello } from './protocol/messages.ts';

const MAX_LOG_BYTES = 1024 * 1024;
const ANSWER_MS = 10_000;
/** Long, because a program loads slowly on an overloaded host. The end of a program that fails is seen at once. */
const LAUNCH_MS = 60_000;
const IDLE_MS = 30_000;
/**
 * Options of V8 (node --v8-options). The runner makes little garbage, so a small heap suffices. The optimizing compiler
 * costs 3.5 MB and saves no time within 6,000 jobs.
 */
const NODE_OPTIONS = ['--max-semi-space-size=1', '--no-opt'];

export interface LaunchOptions {
  /** The time in which a runner that already runs must answer. */
  readonly timeoutMs?: number;
  /** The runner exits when it had no connection and no job for this time. */
  readonly idleMs?: number;
}

/**
 * Returns the hello of the runner in a runtime directory. If there is none, it creates the directory and starts a
 * detached runner from `program`, the path of runner.cjs. Throws RUNNER with the last line of the runner's log.
 */
export async function launchRunner(
  directory: string,
  program: string,
  options: LaunchOptions = {},
): Promise<ServerHello> {
  const { timeoutMs = ANSWER_MS, idleMs = IDLE_MS } = options;
  ensureRuntimeDirectory(directory);
  starterSocketPath(directory);
  let found = await probeRunner(directory, timeoutMs);
  if (found === 'silent') {
    throw launchError(directory, `another runner is serving it and did not answer within ${timeoutMs / 1000} s`);
  }
  if (found !== undefined) return found;
  const launched = new LaunchedProgram(directory, program, idleMs);
  const startMs = systemClock.monotonicMs();
  const remainingMs = (): number => Math.max(0, startMs + LAUNCH_MS - systemClock.monotonicMs());
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 1.3, 100)) {
    found = await probeRunner(directory, remainingMs());
    if (found !== undefined && found !== 'silent') return found;
    const cause = launched.failure ?? (remainingMs() === 0 ? `no answer within ${LAUNCH_MS / 1000} s` : undefined);
    if (cause !== undefined) throw launchError(directory, cause);
    await systemClock.sleep(pauseMs);
  }
}

/** The detached process. Exit status 0 is not a failure: it means that another runner serves the directory. */
class LaunchedProgram {
  failure: string | undefined;

  constructor(directory: string, program: string, idleMs: number) {
    const log = openLog(join(directory, 'runner.log'));
    let child: ChildProcess;
    try {
      child = spawn(process.execPath, [...NODE_OPTIONS, program, directory, String(idleMs)], {
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
      if (status !== 0) this.failure = `it ended with ${status === null ? signal : `exit status ${status}`}`;
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

function launchError(directory: string, cause: string): RqError {
  const log = join(directory, 'runner.log');
  const message = `cannot start the runner in ${directory}: ${cause}; see ${log}, which ends with: ${lastLine(log)}`;
  return new RqError('RUNNER', message, { facts: { code: 'NO_RUNNER', directory } });
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  } catch (error) {
    return errorMessage(error);
  }
}
