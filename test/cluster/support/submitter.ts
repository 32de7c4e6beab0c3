import type { Background } from './background.ts';
import type { Batch, PlannedJob } from './job-records.ts';
import type { Lab } from './lab.ts';
import { shellCommand } from './program.ts';

const END_MS = 120_000;
/** A line for each call: its number, status, what it printed and what it said. */
const PRINT = `for s in *.status; do n=$(basename $s .status)
  echo "$n $(<$s) $(tr -d ' \\n' <$n.out) $(tr '\\n' ' ' <$n.err)"; done`;

/** Calls of submit, one after the other, in a host, until they are stopped. */
export class Submitter {
  constructor(
    private readonly lab: Lab,
    private readonly loop: Background,
    /** Of the host, where the loop keeps what each call printed, and sees that it is enough. */
    private readonly directory: string,
    private readonly prefix: string,
    private readonly jobs: readonly PlannedJob[],
    private readonly batches: Batch[],
  ) {}

  /** Waits until a call said this on its stderr. */
  async waitForMessage(words: string): Promise<void> {
    const search = `until grep -qe ${shellCommand(words)} ${this.directory}/*.err; do sleep 0.2; done`;
    await this.lab.output(this.loop.host, search, { timeoutMs: END_MS });
  }

  /** Lets the call that runs be the last, and enters all into the books; gives what those said that were not accepted. */
  async stop(): Promise<string[]> {
    const { host } = this.loop;
    await this.lab.output(host, `touch ${this.directory}/enough`);
    await this.loop.waitForExit({ timeoutMs: END_MS });
    const printed = await this.lab.output(host, `cd ${this.directory} && ${PRINT}`);
    const refusals: string[] = [];
    for (const line of printed.trim().split('\n')) {
      const [number = '', status = '', jids = '', ...words] = line.split(' ');
      const said = words.join(' ').trim();
      const isAccepted = status === '0';
      const otherwise = /cannot tell whether|submitted \d/.test(said) ? 'unknown' : 'refused';
      if (!isAccepted) refusals.push(said);
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

/** The jids that a submit printed as JSON, and not what it said while it had to wait. */
export function parseJids(printed: string): number[] {
  const json = printed
    .split('\n')
    .filter((line) => !line.startsWith('rq: '))
    .join('\n');
  return (JSON.parse(json) as { jid: number }[]).map(({ jid }) => jid);
}
