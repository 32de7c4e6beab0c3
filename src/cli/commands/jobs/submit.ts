import { readFileSync } from 'node:fs';
import { wakeFeeder } from '../../../feeder/wake.ts';
import { errorMessage, RqError } from '../../../job/errors.ts';
import type { Submission } from '../../../job/job.ts';
import { selectJobs } from '../../../queue/jobs/select.ts';
import { submitJobs } from '../../../queue/jobs/submit.ts';
import { touchJobs } from '../../../queue/jobs/touch.ts';
import type { Queue } from '../../../queue/open.ts';
import { checkEntry, type JobEntry } from '../../../yaml/entry.ts';
import { readSubmittedEntries, type SubmittedEntry } from '../../../yaml/read.ts';
import { withGivenStdin } from '../../input/job-stdin.ts';
import { readAll } from '../../input/standard-input.ts';
import { refuseForeignReferences } from '../../input/stored-references.ts';
import { entryFromOptions, SubmissionMaker, workingDirectory } from '../../input/submission.ts';
import { jobFields, printAfter, printJobs } from '../../output/print.ts';
import { progressOf } from '../../output/progress.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { quoteCommand } from '../../parse/shell-words.ts';
import { useQueue } from '../../use-queue.ts';

/** Submits or touches one command, or a list of them, in one transaction, and prints the jobs. */
export async function run(call: CommandCall): Promise<undefined> {
  jobFields(call);
  const options = entryFromOptions(call);
  await useQueue(call, async (queue) => {
    const isListOnStdin = listSource(call) === '-';
    await withGivenStdin(call, isListOnStdin, (stdin) =>
      submit(call, queue, stdin === undefined ? options : { ...options, stdin }),
    );
  });
}

async function submit(call: CommandCall, queue: Queue, options: JobEntry): Promise<void> {
  const cwd = (): string => workingDirectory(call.environment);
  const maker = new SubmissionMaker({ queue: queue.directory, cwd, stage: call.options.flag('stage'), options });
  const submissions = await readSubmissions(call, queue, maker);
  const progress = progressOf(call, 'submitted');
  const ranges =
    call.command === 'touch'
      ? await touchJobs(queue, submissions)
      : [await progress.during(submitJobs(queue, submissions, progress.report))];
  wakeFeeder(queue.directory);
  if (call.options.flag('quiet')) return;
  const jids = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
  await printAfter(`submitted ${jids}`, () =>
    printJobs(call, selectJobs(queue, { all: false, ranges, states: [], pairs: [] })),
  );
}

async function readSubmissions(call: CommandCall, queue: Queue, maker: SubmissionMaker): Promise<Submission[]> {
  const list = listSource(call);
  if (list === undefined) return [maker.make(commandEntry(call), () => `cannot ${call.command}`)];
  const source = list === '-' ? 'stdin' : list;
  const bytes = list === '-' ? await readStdin(call) : readFile(list);
  if (bytes.length === 0 && call.input.kind === 'none' && list === '-') {
    throw new RqError('USAGE', `cannot ${call.command}: stdin is closed, and there is no command`);
  }
  const entries = await readSubmittedEntries(bytes, source);
  const place = ({ line }: SubmittedEntry): string => `cannot ${call.command} the job at line ${line} of ${source}`;
  await refuseForeignReferences(queue, entries, place);
  return entries.map((entry) => maker.make(entry, () => place(entry)));
}

/** Where the list of jobs is from (`-` is stdin), undefined if the words are a command. */
function listSource(call: CommandCall): string | undefined {
  const infile = call.options.text('infile');
  const dash = call.positionals[0] === '-' && call.literalFrom > 0;
  if (call.positionals.length > (dash ? 1 : 0)) {
    if (!dash && infile === undefined) return undefined;
    throw new RqError('USAGE', `cannot ${call.command} a command and a list in one call: give one of them`);
  }
  if (dash && infile !== undefined)
    throw new RqError('USAGE', 'cannot read jobs from - and --infile: give one of them');
  return infile ?? '-';
}

function commandEntry(call: CommandCall): JobEntry & { command: string } {
  const [first = '', ...others] = call.positionals;
  const command = others.length === 0 ? first : quoteCommand(call.positionals);
  checkEntry([['command', command]], () => `cannot ${call.command}`);
  return { command };
}

async function readStdin(call: CommandCall): Promise<Uint8Array> {
  if (call.input.kind !== 'terminal') return readAll(call.input);
  throw new RqError(
    'USAGE',
    `cannot ${call.command}: give a command, or pipe a list of commands to stdin, or name one with --infile`,
  );
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot read jobs from ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
