// The entry point of the runner: node runner.cjs DIRECTORY IDLE_MS.
import { systemClock } from '../job/clock.ts';
import { errorMessage, RqError } from '../job/errors.ts';
import { closeInheritedDescriptors } from '../job/process.ts';
import { ensureRuntimeDirectory } from '../job/runtime-directory.ts';
import { lockDirectory } from './directory-lock.ts';
import { RunnerLog } from './log.ts';
import { probeRunner } from './probe.ts';
import { Runner } from './runner.ts';

declare const RQ_VERSION: string | undefined;

const LOCK_TIMEOUT_MS = 10_000;
const PROBE_MS = 1000;

const log = new RunnerLog(systemClock.now);

/** Locks the directory until this process ends. False if another runner serves the directory. */
async function acquireLock(directory: string): Promise<boolean> {
  const startMs = systemClock.monotonicMs();
  for (;;) {
    if (lockDirectory(directory)) return true;
    const hello = await probeRunner(directory, PROBE_MS);
    if (hello !== undefined && hello !== 'silent') {
      log.anotherRunner(hello.pid);
      return false;
    }
    if (systemClock.monotonicMs() - startMs > LOCK_TIMEOUT_MS) {
      throw new RqError(
        'RUNNER',
        `cannot lock ${directory}: another process holds the lock and does not answer; end it`,
      );
    }
    await systemClock.sleep(10 + Math.random() * 40);
  }
}

async function main([directory, idleMs]: readonly string[]): Promise<void> {
  closeInheritedDescriptors();
  if (directory === undefined || idleMs === undefined) {
    throw new RqError('USAGE', 'usage: node runner.cjs DIRECTORY IDLE_MS');
  }
  ensureRuntimeDirectory(directory);
  if (!(await acquireLock(directory))) return process.exit(0);
  let runner: Runner | undefined;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => runner?.onSignal(signal));
  // The state of this process may be inconsistent. The starter keeps the jobs and their ends for the next runner.
  process.on('uncaughtException', (error) => {
    log.failed('handle an event', error);
    process.exit(1);
  });
  runner = await Runner.start({
    directory,
    idleMs: Number(idleMs),
    version: typeof RQ_VERSION === 'string' ? RQ_VERSION : 'development',
    clock: systemClock,
    log,
    onStopped: () => process.exit(0),
    onStarterLost: () => process.exit(1),
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  log.failed('start', error);
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exit(1);
});
