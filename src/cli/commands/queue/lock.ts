import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { RqError } from '../../../job/errors.ts';
import { uniquePrefix } from '../../../job/terms/names.ts';
import { holdLock } from '../../../queue/transaction/lock.ts';
import { runInForeground } from '../../foreground-program.ts';
import { SIGNALLED } from '../../output/exit-status.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'lock',
  short: ['L'],
  summary: 'run a command while the queue is locked',
  positionals: 'read|shared|write|exclusive -- COMMAND…',
  minPositionals: 1,
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [],
  description: [
    'Runs a command while rq holds a lock on the queue, and exits with the exit status of the command. ' +
      'Under a "read" or "shared" lock, other processes can read the queue but cannot change it. ' +
      'Under a "write" or "exclusive" lock, other processes can neither read nor change the queue. ' +
      'Feeders wait for the lock, but running jobs continue. ' +
      'rq releases the lock when the command ends, or when rq itself ends.',
  ],
  examples: [
    ['rq q lock read -- cp -a q /backup/q', 'copy the queue while no process is writing to it'],
    ['rq q lock exclusive -- tar -czf q.tgz q', 'archive the queue while no other process is using it'],
  ],
};

const KINDS = { read: 'shared', shared: 'shared', write: 'exclusive', exclusive: 'exclusive' } as const;
/** The exit statuses of a shell for a program that is not found or cannot be executed. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Runs a program while holding a lock, and returns its exit status. */
export async function run(call: CommandCall): Promise<number> {
  const [word = '', ...command] = call.positionals;
  const kind = uniquePrefix(word, Object.keys(KINDS) as (keyof typeof KINDS)[], 'kind of lock');
  if (kind === undefined) {
    throw new RqError('USAGE', `unknown kind of lock "${word}": use read, shared, write or exclusive`);
  }
  if (command.length === 0) {
    throw new RqError('USAGE', `lock needs a command to run: rq q lock ${kind} -- cp -a q backup`);
  }
  return await useQueue(call, (queue) => holdLock(queue, KINDS[kind], () => runCommand(call, command)));
}

/** Ignores the signals of the terminal, which also reach the program, to hold the lock until the program has ended. */
async function runCommand(call: CommandCall, [program = '', ...args]: readonly string[]): Promise<number> {
  call.activity.ignoreTimeout();
  let child: ChildProcess | undefined;
  const forward = (): void => void child?.kill('SIGTERM');
  const ignore = (): void => undefined;
  process.on('SIGTERM', forward).on('SIGHUP', forward).on('SIGINT', ignore).on('SIGQUIT', ignore);
  try {
    const { exitCode, signal, code } = await runInForeground(program, args, (started) => {
      child = started;
    });
    if (signal !== undefined) return SIGNALLED + constants.signals[signal];
    if (exitCode !== undefined) return exitCode;
    call.diagnostics.error(`cannot run ${program}: ${code === 'ENOENT' ? 'no such program' : String(code)}`);
    return code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE;
  } finally {
    process.off('SIGTERM', forward).off('SIGHUP', forward).off('SIGINT', ignore).off('SIGQUIT', ignore);
  }
}
