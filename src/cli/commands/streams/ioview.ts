import { constants } from 'node:os';
import { RqError } from '../../../job/errors.ts';
import { parseJid } from '../../../job/terms/jids.ts';
import { existingStreams } from '../../../queue/jobs/streams.ts';
import { runInForeground } from '../../foreground-program.ts';
import { SIGNALLED } from '../../output/exit-status.ts';
import { isTerminal } from '../../output/terminal.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { type Viewers, viewers } from './viewers.ts';

export const spec: CommandSpec = {
  name: 'ioview',
  short: ['io'],
  summary: "open a job's stdin, stdout and stderr in an editor or pager",
  positionals: 'JID',
  minPositionals: 1,
  maxPositionals: 1,
  options: [
    {
      name: 'editor',
      short: 'e',
      type: 'text',
      value: 'COMMAND',
      help: 'Program that opens the files, with its arguments (by default RQ_EDITOR, or "vim -R -o").',
    },
  ],
  description: [
    'Opens the existing files of the job in an editor, and exits with the exit status of the editor. ' +
      'The default editor is "vim -R -o", which opens the files read-only, in one window per file. ' +
      'If vim is not installed, rq uses a pager (PAGER, less or more).',
    'If stdout is not a terminal, specify an editor with --editor or RQ_EDITOR.',
  ],
  examples: [
    ['rq q ioview 42', 'view the files of a job in vim'],
    ["rq q ioview 42 --editor 'less -R'", 'view the files in a pager'],
    ["rq q ioview 42 -e 'wc -l'", 'pass the files to any program'],
  ],
};

/** Signals that the terminal sends to all its processes; only the editor should act on them. */
const KEYBOARD_SIGNALS = ['SIGINT', 'SIGQUIT'] as const;

/**
 * Opens a job's files in an editor or pager, after closing the queue. Returns its exit status as a shell reports it.
 * Throws NO_JOB, or IO if the job has no files or the program cannot run.
 */
export async function run(call: CommandCall): Promise<number> {
  const jid = parseJid(call.positionals[0] ?? '');
  const chosen = viewers(call.options.text('editor'), call.environment);
  if (chosen.source === undefined && !isTerminal(1)) {
    throw new RqError(
      'USAGE',
      `cannot open the files of job ${jid}: stdout is not a terminal; use rq ${call.queue} stdout ${jid}, or specify --editor`,
    );
  }
  const paths = await useQueue(call, (queue) => existingStreams(queue, jid));
  if (paths.length === 0) {
    throw new RqError(
      'IO',
      `cannot open the files of job ${jid}: the job has no stdin and has not started; wait until it starts`,
    );
  }
  return await view(chosen, paths);
}

async function view({ source, programs }: Viewers, paths: readonly string[]): Promise<number> {
  const ignore = (): void => undefined;
  for (const signal of KEYBOARD_SIGNALS) process.on(signal, ignore);
  try {
    for (const [program = '', ...args] of programs) {
      const ended = await runInForeground(program, [...args, ...paths]);
      if (ended.exitCode !== undefined) return ended.exitCode;
      if (ended.signal !== undefined) return SIGNALLED + constants.signals[ended.signal];
      if (source !== undefined) {
        throw new RqError('IO', `cannot run the editor ${program}, which ${source} names: ${reasonOf(ended.code)}`);
      }
    }
  } finally {
    for (const signal of KEYBOARD_SIGNALS) process.off(signal, ignore);
  }
  throw new RqError(
    'IO',
    'cannot open files: this host has neither vim nor a pager; name a program with --editor or RQ_EDITOR',
  );
}

function reasonOf(code: string | undefined): string {
  if (code === 'ENOENT') return 'no such program';
  return code === 'EACCES' ? 'permission denied' : (code ?? 'it did not start');
}
