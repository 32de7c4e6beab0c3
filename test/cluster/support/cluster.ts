import { expect } from 'vitest';
import { bundleFixture } from '../../support/fixture.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Background } from './background.ts';
import {
  type Batch,
  findMistakes,
  type JobRecord,
  type Permitted,
  type PlannedJob,
  type Stored,
} from './job-records.ts';
import { type Client, type Host, Lab, type LabOptions, SHARE } from './lab.ts';
import { parseRecords } from './parse-records.ts';
import { checkout, program, shellCommand } from './program.ts';
import { print, reportFacts } from './scenario.ts';
import { parseJids, Submitter } from './submitter.ts';

export interface ClusterOptions extends LabOptions {
  /** Replaces the program of this checkout. */
  readonly program?: string;
  /** Arguments for `rq create` and `rq configure`. */
  readonly create?: readonly string[];
  readonly configure?: readonly string[];
  /** The place of the job records: the share, or the local disk of the host, which a power cut erases. */
  readonly records?: 'share' | 'local';
}

/** The share on the disk of the server. */
const STORED = '/srv/disk/q';
const QUEUE = `${SHARE}/q`;
const JOB = `${checkout}/test/fixtures/recorded-job`;
const MANY_ROWS = `INSERT INTO jobs (state, submitted, submitter, owner, cwd, command, tag)
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000)
  SELECT 'holding', '2026-01-01T00:00:00.000Z', 'n1', 'nobody', '/', hex(randomblob(100)), 'unfinished' FROM n`;
const DRAINED_MS = 400_000;
const END_MS = 120_000;
/** Processes of which none may remain on a host. */
const PROCESSES = '[b]in/rq |[r]unner\\.cjs|[r]q-starter|[r]ecorded-job';
/** Files of which none may remain in a runtime directory. */
const REMAINING_FILES =
  "find /var/tmp/rq-0 -name '*.sock' -o -name '*.pid' -o -name '*.lease' -o -path '*/scripts/*' 2>/dev/null";

/** A lab with one queue, and the record of all that was submitted to it. */
export class Cluster {
  readonly batches: Batch[] = [];
  private readonly feeders = new Map<Client, Background>();
  private readonly startMs = performance.now();
  private readonly records: string;
  private calls = 0;
  private isFinished = false;

  private constructor(
    readonly lab: Lab,
    private readonly options: ClusterOptions,
    private readonly contentsFixture: string,
  ) {
    this.records = options.records === 'local' ? '/tmp/records' : `${SHARE}/records`;
  }

  /** Boots the hosts and creates the queue. */
  static async up(options: ClusterOptions): Promise<Cluster> {
    const fixture = await bundleFixture('queue-contents');
    const cluster = new Cluster(await Lab.up(options), options, fixture);
    const { create = [], configure = ['min_sleep=0.2', 'max_sleep=1'] } = options;
    try {
      await cluster.makeRecords(...cluster.lab.clients);
      await cluster.lab.output('n1', cluster.rq('create', ...create));
      await cluster.lab.output('n1', cluster.rq('configure', ...configure));
    } catch (error) {
      await cluster.down();
      throw error;
    }
    return cluster;
  }

  /** A call of rq on the queue, quoted for the shell of a host. */
  rq(...words: string[]): string {
    return shellCommand(this.options.program ?? program, QUEUE, ...words);
  }

  /** Submits jobs in one call, which has to succeed. Returns the jids. */
  async submit(host: Client, jobs: readonly PlannedJob[]): Promise<readonly number[]> {
    const { tag, command } = this.submission(jobs);
    const jids = parseJids(await this.lab.output(host, command));
    expect(jids).toHaveLength(jobs.length);
    this.batches.push({ tag, jobs, outcome: 'accepted', jids });
    return jids;
  }

  /** Starts a transaction that takes minutes and exceeds the cache of the database. Does not wait for it. */
  async beginLongTransaction(host: Client): Promise<void> {
    await this.lab.start(host, this.rq('execute', MANY_ROWS));
    this.batches.push({ tag: 'unfinished', jobs: [], outcome: 'refused', jids: [] });
  }

  /** Submits the same jobs repeatedly from a host, until the submitter is stopped. */
  async keepSubmitting(host: Client, jobs: readonly PlannedJob[]): Promise<Submitter> {
    const prefix = `${host}.${++this.calls}`;
    const directory = `/tmp/calls.${prefix}`;
    const call = this.submitCommand(`'${prefix}.'$n`, jobs);
    const loop = `mkdir ${directory}; cd ${directory}; n=0
      until [ -e enough ]; do n=$((n + 1)); ${call} >$n.out 2>$n.err; echo $? >$n.status; done`;
    return new Submitter(this.lab, await this.lab.start(host, loop), directory, prefix, jobs, this.batches);
  }

  /** Starts a feeder. */
  async feed(host: Client, slots = 2): Promise<Background> {
    const feeder = await this.lab.start(host, `cd /tmp; exec ${this.rq('feed', '--max_feed', String(slots))}`);
    this.feeders.set(host, feeder);
    return feeder;
  }

  async feedAll(): Promise<void> {
    await Promise.all(this.lab.clients.map((client) => this.feed(client)));
  }

  /** Cuts the power of a client, which ends its feeder. */
  async powerOff(host: Client): Promise<void> {
    await this.lab.kill(host);
    this.feeders.delete(host);
  }

  async powerOn(host: Client): Promise<void> {
    await this.lab.boot(host);
    await this.makeRecords(host);
  }

  /** The logs of all feeders so far. */
  async feederOutput(): Promise<string> {
    const outputs = await Promise.all([...this.feeders.values()].map((feeder) => feeder.output()));
    return outputs.join('');
  }

  /** Waits until a feeder has logged a text. */
  async waitForFeederOutput(text: string): Promise<void> {
    await waitFor(async () => (await this.feederOutput()).includes(text), END_MS);
  }

  /** Reads the queue on the disk of the server. */
  async stored(): Promise<Stored> {
    return await this.readQueue('once', END_MS);
  }

  /** Waits until no job is pending or running. */
  async waitUntilDrained(timeoutMs = DRAINED_MS): Promise<Stored> {
    return await this.readQueue('drained', timeoutMs);
  }

  /** Waits for a shell condition on the server, in which `$q` is the directory of the queue. */
  async waitForServer(condition: string, timeoutMs = END_MS): Promise<void> {
    const wait = `q=${STORED}/q; until ${condition}; do sleep 0.1; done`;
    await this.lab.output('server', wait, { timeoutMs });
  }

  /** The records of jobs: those of these hosts or, if records are on the share, all. */
  async jobRecords(clients: readonly Client[] = this.lab.clients): Promise<JobRecord[]> {
    const isLocal = this.options.records === 'local';
    const hosts: readonly Host[] = isLocal ? clients : ['server'];
    const list = `cd ${isLocal ? this.records : `${STORED}/records`}; grep -r '' . || true`;
    return parseRecords((await Promise.all(hosts.map((host) => this.lab.output(host, list)))).join(''));
  }

  /** Waits until a job has recorded a number of starts. */
  async waitForStarts(jid: number, times = 1, clients = this.lab.clients): Promise<void> {
    const count = async (): Promise<number> =>
      (await this.jobRecords(clients)).filter((each) => each.jid === jid).length;
    await waitFor(async () => (await count()) >= times, END_MS);
  }

  /** Waits for the end of all jobs, ends the feeders, checks the job records, and prints a summary. Returns the mistakes. */
  async finish(faults: string, permitted: Permitted = {}, timeoutMs = DRAINED_MS): Promise<string[]> {
    const problems: string[] = [];
    await this.waitUntilDrained(timeoutMs).catch((error: unknown) =>
      problems.push(`not all jobs ended: ${String(error).slice(0, 300)}`),
    );
    problems.push(...(await this.endFeeders()));
    const [stored, records] = [await this.stored(), await this.jobRecords()];
    const mistakes = [
      ...problems,
      ...findMistakes(this.batches, stored, records, permitted),
      ...(await this.remainingOnHosts()),
    ];
    const seconds = ((performance.now() - this.startMs) / 1000).toFixed(0);
    const count = (state: string): number => stored.jobs.filter((job) => job.state === state).length;
    const states = `${count('finished')} finished, ${count('dead')} dead of ${stored.jobs.length}`;
    print(`${faults}: ${states}; ${records.length} starts; ${seconds} s; ${mistakes.length} mistakes`);
    for (const mistake of mistakes.slice(0, 20)) print(`  ${mistake}`);
    reportFacts({ jobs: stored.jobs.length, faults });
    this.isFinished = true;
    return mistakes;
  }

  /** Ends the lab. After a failure, it first prints the state of the cluster. */
  async down(): Promise<void> {
    if (!this.isFinished) print(await this.state().catch(String));
    await this.lab.down();
  }

  private async state(): Promise<string> {
    const outputs = [...this.feeders].map(async ([host, feeder]) => `${host}:\n${await feeder.output().catch(String)}`);
    const names = await this.lab.output('server', `ls -la --full-time ${STORED}/q ${STORED}/q/nodes`);
    return `${(await Promise.all(outputs)).map((output) => output.slice(-2_000)).join('\n')}\n${names}`;
  }

  private async endFeeders(): Promise<string[]> {
    const ends = [...this.feeders].map(async ([host, feeder]): Promise<string[]> => {
      await feeder.signal('TERM').catch(() => undefined);
      const status = await feeder.waitForExit({ timeoutMs: END_MS }).catch(String);
      return status === 0 ? [] : [`the feeder of ${host} ended with ${status}: ${await feeder.output()}`];
    });
    return (await Promise.all(ends)).flat();
  }

  /** Remaining processes, sockets and pid files. A runner may need some seconds to exit. */
  private async remainingOnHosts(): Promise<string[]> {
    const list = `{ pgrep -af '${PROCESSES}' | grep -v pgrep; ${REMAINING_FILES}; }`;
    const all = this.lab.clients.map(async (client) => {
      const wait = `for try in $(seq 50); do [ -n "$(${list})" ] || exit 0; sleep 0.2; done; ${list}; exit 0`;
      const output = await this.lab.output(client, wait);
      return output === '' ? [] : [`remaining on ${client}: ${output.trim()}`];
    });
    return (await Promise.all(all)).flat();
  }

  private async readQueue(until: 'once' | 'drained', timeoutMs: number): Promise<Stored> {
    const command = shellCommand('node', this.contentsFixture, `${STORED}/q`, until);
    return JSON.parse(await this.lab.output('server', command, { timeoutMs })) as Stored;
  }

  private async makeRecords(...hosts: Client[]): Promise<void> {
    await Promise.all(hosts.map((host) => this.lab.output(host, `mkdir -p ${this.records}`)));
  }

  private submission(jobs: readonly PlannedJob[]): { tag: string; command: string } {
    const tag = `call.${++this.calls}`;
    return { tag, command: this.submitCommand(tag, jobs) };
  }

  private submitCommand(tag: string, jobs: readonly PlannedJob[]): string {
    const list = jobs.map(({ seconds, status, restartable = false, gate = '', runner }) => ({
      command: `${JOB} ${this.records} ${seconds} ${status} ${gate}`.trim(),
      restartable,
      cwd: '/tmp',
      ...(runner === undefined ? {} : { runners: runner }),
    }));
    return `printf %s ${shellCommand(JSON.stringify(list))} | ${this.rq('submit', '--json', '--fields', 'jid')} --tag ${tag} -`;
  }
}
