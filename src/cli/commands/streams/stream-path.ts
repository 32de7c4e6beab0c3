import { parseJid } from '../../../job/terms/jids.ts';
import { jobStreamPath } from '../../../queue/jobs/streams.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';

const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

/** stdin4, stdout4 and stderr4. */
export const specs: readonly CommandSpec[] = STREAMS.map((stream) => ({
  name: `${stream}4`,
  summary: `print the path of the ${stream} of a job`,
  positionals: 'JID',
  minPositionals: 1,
  maxPositionals: 1,
  options: [SNAPSHOT],
  description: [`Prints the absolute path of the ${stream} file of a job. The file may not exist yet.`],
  examples: [
    [`rq q ${stream}4 42`, 'print the path'],
    [`wc -l "$(rq q ${stream}4 42)"`, 'pass the file to a program'],
  ],
}));

/** Prints the path of a job's stream as plain text, for use as "$(rq q stdout4 42)". Throws NO_JOB. */
export async function run(call: CommandCall): Promise<undefined> {
  const jid = parseJid(call.positionals[0] ?? '');
  const stream = STREAMS.find((name) => `${name}4` === call.command) ?? 'stdout';
  const path = await useReader(call, (queue) => jobStreamPath(queue, jid, stream));
  await call.output.write(`${call.options.flag('json') ? JSON.stringify(path) : path}\n`);
}
