import { jobStreamPath } from '../../../queue/jobs/streams.ts';
import { parseJid } from '../../input/selection.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useReader } from '../../use-queue.ts';

const STREAMS = { stdin4: 'stdin', stdout4: 'stdout', stderr4: 'stderr' } as const;

/** Prints the path of a job's stream as plain text, for use as "$(rq q stdout4 42)". Throws NO_JOB. */
export async function run(call: CommandCall): Promise<undefined> {
  const jid = parseJid(call.positionals[0] ?? '');
  const stream = Object.entries(STREAMS).find(([command]) => command === call.command)?.[1] ?? 'stdout';
  const path = await useReader(call, (queue) => jobStreamPath(queue, jid, stream));
  await call.output.write(`${call.options.flag('json') ? JSON.stringify(path) : path}\n`);
}
