import { constants } from 'node:os';
import { execa } from 'execa';
import { RqError } from '../../../job/errors.ts';
import { existingStreams } from '../../../queue/jobs/streams.ts';
import { parseJid } from '../../input/selection.ts';
import { isTerminal } from '../../output/terminal.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';
import { type Viewers, viewers } from './viewers.ts';

/** What the keyboard sends to every process of the terminal: it is the editor's to obey. */
const KEYBOARD_SIGNALS = ['SIGINT', 'SIGQUIT'] as const;
const SIGNALLED = 128;

/**
 * Runs an editor or pager on a job's files, when the queue is closed again; returns its exit status, as a shell gives
 * it. Throws NO_JOB, or IO where there are no files or no such program.
 */
export async function run(call: CommandCall): Promise<number> {
  const jid = parseJid(call.positionals[0] ?? '');
  const chosen = viewers(call.options.text('editor'), call.environment);
  if (chosen.source === undefined && !isTerminal(1)) {
    throw new RqError(
      'USAGE',
      `ioview needs a terminal; rq ${call.queue} stdout ${jid} prints, --editor runs any program`,
    );
  }
  const paths = await useQueue(call, (queue) => existingStreams(queue, jid));
  if (paths.length === 0) {
    throw new RqError('IO', `job ${jid} has no files to view: it was submitted without stdin, and has not started yet`);
  }
  return await view(chosen, paths);
}

async function view({ source, programs }: Viewers, paths: readonly string[]): Promise<number> {
  const ignore = (): void => undefined;
  for (const signal of KEYBOARD_SIGNALS) process.on(signal, ignore);
  try {
    for (const [program = '', ...words] of programs) {
      const ended = await execa(program, [...words, ...paths], { stdio: 'inherit', reject: false });
      if (ended.exitCode !== undefined) return ended.exitCode;
      if (ended.signal !== undefined) return SIGNALLED + constants.signals[ended.signal];
      if (source !== undefined) {
        throw new RqError('IO', `cannot run the editor ${program} of ${source}: ${reasonOf(ended.code)}`, {
          cause: ended,
        });
      }
    }
  } finally {
    for (const signal of KEYBOARD_SIGNALS) process.off(signal, ignore);
  }
  throw new RqError('IO', 'there is neither vim nor a pager here: name a program with --editor or RQ_EDITOR');
}

function reasonOf(code: string | undefined): string {
  if (code === 'ENOENT') return 'there is no such program';
  return code === 'EACCES' ? 'it may not be executed' : (code ?? 'it did not start');
}
