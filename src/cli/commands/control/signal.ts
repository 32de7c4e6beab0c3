import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { RqError } from '../../../job/errors.ts';
import { JOB_FIELDS } from '../../../job/job.ts';
import { numberedSignal } from '../../../job/quantities/signal.ts';
import { signalJobs } from '../../../queue/control/control-jobs.ts';
import { requireSelection, selectorsOf } from '../../input/selection-input.ts';
import { printControlled } from '../../output/controlled-jobs.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { QUIET } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { SELECTION, STDIN_DEFAULT, STDIN_JIDS } from '../jobs/selection-help.ts';

export const spec: CommandSpec = {
  name: 'signal',
  summary: 'send a signal to running jobs on any host',
  report: JOB_FIELDS,
  positionals: 'NAME SELECTION…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [QUIET],
  description: [
    'Sends a signal, such as USR1, to all processes of the selected running jobs, and prints the jobs. ' +
      'Each process receives the signal at most once. ' +
      'The feeder of the host sends it at its next poll; the signal is dropped if the job ends before that. ' +
      'To end a job, use "kill", and to stop it, use "pause". ' +
      'If a job selected by jid is not running, rq sends no signal.',
    SELECTION,
    `${STDIN_JIDS} ${STDIN_DEFAULT}`,
  ],
  examples: [
    ['rq q signal USR1 42', 'ask a job to print its progress, if it handles SIGUSR1 that way'],
    ['rq q signal HUP running tag=server', 'have all running jobs with a tag reload their configuration'],
  ],
};

/** Sends a signal to the selected running jobs, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  const { positionals, readsStdin } = selectorsOf(call);
  const [word, ...others] = positionals;
  const signal = requireSignal(word);
  const selection = await requireSelection(call, { positionals: others, readsStdin });
  await useQueue(call, async (queue) => {
    const progress = progressOf(call, 'signalled');
    const result = await progress.during(signalJobs(queue, selection, signal, progress.report));
    wakeFeeder(queue.directory);
    await printControlled(call, queue, result, 'running');
  });
}

function requireSignal(word: string | undefined): string {
  const name = word === undefined ? undefined : numberedSignal(word);
  if (name === 'SIGSTOP' || name === 'SIGCONT') {
    throw new RqError(
      'USAGE',
      `cannot signal ${name}: use "pause" and "resume", so that rq knows which jobs are stopped`,
    );
  }
  if (name !== undefined) return name;
  throw new RqError(
    'USAGE',
    word === undefined
      ? 'cannot signal: no signal specified; give its name, followed by the jobs, such as: rq QUEUE signal USR1 42'
      : `cannot signal: "${word}" is not the name of a signal; give a signal name such as USR1 or SIGTERM, followed by the jobs`,
  );
}
