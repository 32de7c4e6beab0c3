import type { Background } from './background.ts';
import type { Batch, PlannedJob } from './job-records.ts';
import type { Lab } from './lab.ts';
import { shellCommand } from './program.ts';

const END_MS = 120_000;
/** Prints a line for each call: number, exit status, stdout, stderr. */
const PRINT = `for s in *.status; do n=$(basename $s .status)
  echo "$n $(<$s) $(tr -d ' \\n' <$n.out) $(tr '\\n' ' ' <$n.err)"; done`;

/** Runs submits on a host, one after another, until it is stopped. */
export class Submitter {
  constructor(
    private readonly lab: Lab,
    private readonly loop: Background,
    /** A directory of the host with the output of each call. The loop ends once it contains the file `enough`. */
    private readonly directory: string,
    private readonly prefix: string,
    private readonly jobs: readonly PlannedJob[],
    private readonly batches: Batch[],
  ) {}

  /** Waits until a call has printed a text to stderr. */
  async waitForMessage(text: string): Promise<void> {
    const search = `until grep -qe ${shellCommand(text)} ${this.directory}/*.err; do sleep 0.2; done`;
    await this.lab.output(this.loop.host, search, { timeoutMs: END_MS });
  }

  /** Stops after the current call and records the batches. Returns the messages of calls that were not accepted. */
  async stop(): Promise<string[]> {
    const { host } = this.loop;
    await this.lab.output(host, `touch ${this.directory}/enough`);
    await this.loop.waitForExit({ timeoutMs: END_MS });
    const printed = await this.lab.output(host, `cd ${this.directory} && ${PRINT}`);
    const refusals: string[] = [];
    for (const line of printed.trim().split('\n')) {
      const [number = '', status = '', jids = '', ...words] = line.split(' ');
      const message = words.join(' ').trim();
      const isAccepted = status === '0';
      const otherwise = /cannot determine whether|submitted \d/.test(message) ? 'unknown' : 'refused';
      if (!isAccepted) refusals.push(message);
      this.batches.push({
        tag: `${this.prefix}.${number}`,
        jobs: this.jobs,
        outcome: isAccepted ? 'accepted' : otherwise,
        jids: isAccepted ? parseJids(jids) : [],
      });
    }
    return refusals;
  }
}

/** Parses the jids that a submit printed as JSON, without its messages about waiting. */
export function parseJids(printed: string): number[] {
  const json = printed
    .split('\n')
    .filter((line) => !line.startsWith('rq: '))
    .join('\n');
  return (JSON.parse(json) as { jid: number }[]).map(({ jid }) => jid);
}
