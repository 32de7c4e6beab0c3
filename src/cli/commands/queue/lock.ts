import { constants } from 'node:os';
import { execa } from 'execa';
import { RqError } from '../../../job/errors.ts';
import { holdLock } from '../../../queue/transaction/lock.ts';
import { uniquePrefix } from '../../input/selection.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { nearestHint } from '../../parse/suggestions.ts';
import { useQueue } from '../../use-queue.ts';

const KINDS = { read: 'shared', shared: 'shared', write: 'exclusive', exclusive: 'exclusive' } as const;
/** What a shell says of a program that it cannot find, cannot run, and of one that a signal ended. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const SIGNALLED = 128;

/** Runs a command while holding a lock, and gives its exit status. */
export async function run(call: CommandCall): Promise<number> {
  const [word = '', ...command] = call.positionals;
  const kind = uniquePrefix(word, Object.keys(KINDS) as (keyof typeof KINDS)[], 'kind of lock');
  if (kind === undefined) {
    throw new RqError(
      'USAGE',
      `there is no lock "${word}"${nearestHint(word, Object.keys(KINDS)) || '.'} Give read or shared, or write or exclusive`,
    );
  }
  if (command.length === 0) {
    throw new RqError('USAGE', `run what under the lock? For example: rq q lock ${kind} -- cp -a q backup`);
  }
  return await useQueue(call, (queue) => holdLock(queue, KINDS[kind], () => runCommand(call, command)));
}

/** The terminal's signals reach the command too; rq stays, to hold the lock until it has ended. */
async function runCommand(call: CommandCall, [program = '', ...words]: readonly string[]): Promise<number> {
  call.activity.ignoreTimeout();
  const child = execa(program, words, { stdio: 'inherit', reject: false });
  const forward = (): void => void child.kill('SIGTERM');
  const stay = (): void => undefined;
  process.on('SIGTERM', forward).on('SIGHUP', forward).on('SIGINT', stay).on('SIGQUIT', stay);
  try {
    const { exitCode, signal, cause } = await child;
    if (signal !== undefined) return SIGNALLED + constants.signals[signal];
    if (exitCode !== undefined) return exitCode;
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    call.diagnostics.error(`cannot run ${program}: ${code === 'ENOENT' ? 'there is no such program' : String(code)}`);
    return code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE;
  } finally {
    process.off('SIGTERM', forward).off('SIGHUP', forward).off('SIGINT', stay).off('SIGQUIT', stay);
  }
}
