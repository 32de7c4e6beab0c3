import { createReadStream } from 'node:fs';
import { errorMessage, RqError } from '../../../job/errors.ts';
import { parseJid } from '../../../job/terms/jids.ts';
import { openFresh } from '../../../queue/files/fresh-open.ts';
import { jobStreamPath } from '../../../queue/jobs/streams.ts';
import { writeAll } from '../../output/standard-output.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { SNAPSHOT } from '../../parse/shared-options.ts';
import { useReader } from '../../use-queue.ts';

const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

/** stdin, stdout and stderr; their short names are the numbers of the file descriptors. */
export const specs: readonly CommandSpec[] = STREAMS.map((name, descriptor) => ({
  name,
  short: [String(descriptor)],
  summary: `print the ${name} of a job`,
  positionals: 'JID',
  minPositionals: 1,
  maxPositionals: 1,
  options: [SNAPSHOT],
  description: [`Prints the ${name} of a job unchanged.`],
  examples: [
    [`rq q ${name} 42`, `print the ${name} of job 42`],
    [`rq q ${name} 42 | less`, `view the ${name} in a pager`],
  ],
}));

/** Prints a stream of a job unchanged. Throws NO_JOB, or IO if the job has no such file (yet). */
export async function run(call: CommandCall): Promise<undefined> {
  const jid = parseJid(call.positionals[0] ?? '');
  const stream = STREAMS.find((name) => name === call.command) ?? 'stdout';
  const path = await useReader(call, (queue) => jobStreamPath(queue, jid, stream));
  await writeAll(call.output, fileChunks(path, jid, stream));
}

async function* fileChunks(path: string, jid: number, stream: string): AsyncGenerator<Uint8Array> {
  const fd = openFresh(path);
  if (fd === undefined) {
    const why = stream === 'stdin' ? 'its file was removed' : 'the job has not started yet';
    throw new RqError('IO', `cannot read the ${stream} of job ${jid}: ${why}`, { facts: { jid, path } });
  }
  try {
    yield* createReadStream(path, { fd }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new RqError('IO', `cannot read the ${stream} of job ${jid}: ${errorMessage(error)}`, { cause: error });
  }
}
