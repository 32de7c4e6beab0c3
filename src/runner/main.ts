// The sidecar's own entry: node runner.cjs DIRECTORY [IDLE_MS]. It opens no database, and all that it loads is the price
// of each fork.
import { systemClock } from '../job/clock.ts';
import { errorMessage, RqError } from '../job/errors.ts';
import { ensureRuntimeDirectory } from '../job/runtime-directory.ts';
import { lockDirectory } from './directory-lock.ts';
import { RunnerLog } from './log.ts';
import { probeRunner } from './probe.ts';
import { Runner } from './runner.ts';

declare const RQ_VERSION: string | undefined;

const IDLE_MS = 30_000;
const TAKE_OVER_MS = 10_000;
const PROBE_MS = 1000;

const log = new RunnerLog(systemClock.now);

/** The lock of the directory, whose runner this process is now; undefined if another is, and well. */
async function takeOver(directory: string): Promise<number | undefined> {
  const startMs = systemClock.monotonicMs();
  for (;;) {
    const lock = lockDirectory(directory);
    if (lock !== undefined) return lock;
    const hello = await probeRunner(directory, PROBE_MS);
    if (hello !== undefined && hello !== 'silent') {
      log.anotherRunner(hello.pid);
      return undefined;
    }
    if (systemClock.monotonicMs() - startMs > TAKE_OVER_MS) {
      throw new RqError('RUNNER', `another process holds the lock of ${directory} and does not answer`);
    }
    await systemClock.sleep(10 + Math.random() * 40);
  }
}

async function main([directory, idleMs]: readonly string[]): Promise<void> {
  if (directory === undefined) throw new RqError('USAGE', 'which directory? node runner.cjs DIRECTORY [IDLE_MS]');
  ensureRuntimeDirectory(directory);
  const lock = await takeOver(directory);
  if (lock === undefined) return process.exit(0);
  const runner = new Runner({
    directory,
    lock,
    idleMs: idleMs === undefined ? IDLE_MS : Number(idleMs),
    version: typeof RQ_VERSION === 'string' ? RQ_VERSION : 'development',
    clock: systemClock,
    log,
    onStopped: () => process.exit(0),
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => runner.onSignal(signal));
  // It is the only witness of its jobs' ends: what one request or one job does wrong must not cost the others.
  process.on('uncaughtException', (error) => log.failed('go on as if nothing had happened', error));
  await runner.start();
}

main(process.argv.slice(2)).catch((error: unknown) => {
  log.failed('start', error);
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exit(1);
});
