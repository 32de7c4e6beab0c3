import { resolve } from 'node:path';
import { newBoard, readWait } from '../../job/wait-board.ts';
import { followLockWaits, showWaits, steadyMs } from '../../job/waits.ts';
import { isRemote } from '../../queue/remote-path.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { lockTimeoutMs } from '../parse/lock-timeout.ts';
import { Reporter } from './reporter.ts';
import { type Voice, warn } from './voice.ts';
import type { WatchOrder } from './watcher.ts';

const FIRST_MS = 10_000;
const PROGRAM = './watcher.cjs';

/**
 * Sees to it that this call says what it waits for after 10 seconds. Where the queue is on another machine a thread of
 * its own watches, which costs about 30 ms of a processor (docs/nfs.md); elsewhere the waits for locks speak for
 * themselves, which costs nothing. RQ_PATIENCE_MS (for tests) is another time, and a thread everywhere.
 */
export async function watchCall(call: CommandCall): Promise<void> {
  if (call.queue === '') return;
  const given = Number(call.environment['RQ_PATIENCE_MS'] ?? Number.NaN);
  const firstMs = given > 0 ? given : FIRST_MS;
  const isFeeder = call.command === 'feed' && !call.options.flag('daemon');
  const order: WatchOrder = {
    board: newBoard(),
    queue: resolve(call.queue),
    voice: voiceOf(call, isFeeder),
    firstMs,
    limitMs: isFeeder ? undefined : lockTimeoutMs(call),
    hint: isFeeder ? '' : ' (Ctrl-C ends this)',
  };
  if (given > 0 || isRemote(call.queue)) await startThread(order);
  else speakForOneself(order);
}

function voiceOf(call: CommandCall, isFeeder: boolean): Voice {
  const { verbosity } = call.diagnostics;
  const path = call.options.text('log');
  return isFeeder
    ? { kind: 'log', verbosity, path: path === undefined ? undefined : resolve(path) }
    : { kind: 'diagnostics', verbosity };
}

async function startThread(order: WatchOrder): Promise<void> {
  const threads = await import('node:worker_threads');
  showWaits(order.board);
  const program = new URL(PROGRAM, import.meta.url);
  // Without warnings: WASI is called experimental.
  const thread = new threads.Worker(program, {
    workerData: order,
    env: threads.SHARE_ENV,
    execArgv: ['--no-warnings'],
  });
  thread.on('error', (error) => warn(order.voice, `nothing will be said of waiting: ${error.message}`));
  thread.unref();
}

function speakForOneself({ board, queue, firstMs, hint, voice }: WatchOrder): void {
  const reporter = new Reporter(queue, firstMs, hint);
  followLockWaits(board, () => {
    const line = reporter.look({ lock: readWait(board, 'lock'), step: undefined, stuckMs: 0 }, steadyMs());
    if (line !== undefined) warn(voice, line);
  });
}
