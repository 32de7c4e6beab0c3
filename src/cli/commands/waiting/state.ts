import { hasFailed, type Outcome } from '../../../job/job.ts';
import { outcomesOf } from '../../../queue/jobs/select-outcomes.ts';
import { requireSelection } from '../../input/selection-input.ts';
import { noJob } from '../../output/no-job.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'state',
  summary: 'print the states of jobs',
  positionals: 'JID…',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: [
    {
      name: 'snakemake',
      type: 'flag',
      help: 'Print only one word per job: "running", "success" or "failed", as snakemake expects.',
    },
    SNAPSHOT,
  ],
  description: [
    'Prints one line per job: the jid and the state. ' +
      '"state" takes no lease, so scripts and workflow engines can call it often. ' +
      'Ranges (10-20) and all other selections of "list" are also accepted.',
    'With --snakemake, jobs that have not ended are "running". ' +
      'Dead jobs, and finished jobs that "failed" selects, are "failed".',
  ],
  examples: [
    ['rq q state 42', 'print the state of a job'],
    ['rq q state 10-20', 'print the states of several jobs'],
    ['rq q state --snakemake 42', 'print a word for the option --cluster-status of snakemake'],
  ],
};

/** Prints the states of jobs. Throws NO_JOB if a jid does not exist, or if no job matches. */
export async function run(call: CommandCall): Promise<undefined> {
  const selection = await requireSelection(call);
  const { options, output } = call;
  const jobs = await useReader(call, async (queue) => {
    const found = [];
    for await (const batch of outcomesOf(queue, selection)) found.push(...batch);
    if (found.length === 0) throw noJob(call, queue.directory);
    return found;
  });
  const states = jobs.map((job) => ({
    jid: job.jid,
    state: options.flag('snakemake') ? snakemakeWord(job) : job.state,
  }));
  const lines = states.map(({ jid, state }) => (options.flag('snakemake') ? state : `${jid} ${state}`));
  await output.write(options.flag('json') ? `${JSON.stringify(states)}\n` : `${lines.join('\n')}\n`);
}

function snakemakeWord(job: Outcome): string {
  if (job.state !== 'finished' && job.state !== 'dead') return 'running';
  return hasFailed(job) ? 'failed' : 'success';
}
