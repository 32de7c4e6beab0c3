import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, recordingCommand } from './job-records.ts';
import type { Workbench } from './program.ts';

export interface RandomDriverOptions {
  readonly random: () => number;
  /** How long processes are killed. */
  readonly seconds: number;
  readonly jobs: number;
  readonly hosts: readonly string[];
  readonly slots: number;
  /** The longest time for which a feeder is stopped. */
  readonly maxFreezeSeconds: number;
}

type Process = ReturnType<Workbench['start']>;

/** Feeds random jobs from several hosts while it kills feeders, runners, starters, jobs and commands at random. */
export class RandomDriver {
  readonly batches: Batch[] = [];
  /** `jid.attempt` of jobs that were killed from outside. */
  readonly killedJobs = new Set<string>();
  /** Jids of jobs that `rq kill` was to end. */
  readonly wishedJobs = new Set<number>();
  /** The queue and the rotations, which together hold all jobs. */
  readonly places: string[] = [];
  /** The number of times that each action was taken. */
  readonly actions: Record<string, number> = {};
  private readonly feeders = new Map<string, Process>();
  private readonly frozen = new Set<string>();
  private submitted = 0;
  private rotations = 0;

  constructor(
    private readonly bench: Workbench,
    private readonly options: RandomDriverOptions,
  ) {
    for (const name of ['rec', 'rot']) mkdirSync(join(bench.directory, name));
  }

  /** Runs until all jobs have ended and all feeders have exited. */
  async run(): Promise<void> {
    const { hosts, seconds } = this.options;
    for (const host of hosts) this.feed(host);
    const endMs = performance.now() + seconds * 1000;
    const submitting = this.submitAll(endMs);
    while (performance.now() < endMs) {
      await sleep(this.pick(50, 400));
      await this.actAtRandom();
    }
    await submitting;
    await this.finishAllJobs();
  }

  private get random(): () => number {
    return this.options.random;
  }

  private pick(min: number, max: number): number {
    return min + this.random() * (max - min);
  }

  private one<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)] as T;
  }

  private note(action: string): void {
    this.actions[action] = (this.actions[action] ?? 0) + 1;
  }

  private feed(host: string): void {
    const words = ['QUEUE', 'feed', `--max_feed=${this.options.slots}`, '--max_sleep=1', '--retries=100'];
    this.feeders.set(host, this.bench.start(words, { environment: { RQ_HOST: host } }));
  }

  private async actAtRandom(): Promise<void> {
    const chance = this.random();
    if (chance < 0.35) await this.killFeeder();
    else if (chance < 0.45) this.killRunner();
    else if (chance < 0.48) this.killStarter();
    else if (chance < 0.6) await this.killJob();
    else if (chance < 0.75) void this.freezeFeeder();
    else if (chance < 0.8) await this.rotate();
    else if (chance < 0.86) await this.killByCommand();
    else if (chance < 0.9) await this.pauseByCommand();
    else await this.runOtherCommand();
  }

  private async killFeeder(): Promise<void> {
    const host = this.one(this.options.hosts);
    const feeder = this.feeders.get(host);
    if (feeder === undefined || this.frozen.has(host)) return;
    this.note('feeder killed');
    feeder.child.kill('SIGKILL');
    await feeder.ended;
    this.feed(host);
  }

  private killRunner(): void {
    const root = this.bench.environment['RQ_RUNTIME_DIR'] ?? '';
    const pids = readdirSync(root).flatMap((name) => readPid(join(root, name, 'runner.pid')));
    const pid = this.one(pids);
    if (pid === undefined || !this.bench.processes().includes(pid)) return;
    this.note('runner killed');
    process.kill(pid, 'SIGKILL');
  }

  private killStarter(): void {
    const pid = this.one(this.bench.starters());
    if (pid === undefined) return;
    this.note('starter killed');
    process.kill(pid, 'SIGKILL');
  }

  private async killJob(): Promise<void> {
    const running = (await this.bench.jobs('running')).filter(({ pid }) => typeof pid === 'number');
    const job = this.one(running);
    if (job === undefined || !this.bench.processes().includes(Number(job['pid']))) return;
    this.killedJobs.add(`${job['jid']}.${job['attempt']}`);
    this.note('job killed');
    try {
      process.kill(-Number(job['pid']), this.one(['SIGKILL', 'SIGTERM'] as const));
    } catch {
      this.note('job had ended');
    }
  }

  private async killByCommand(): Promise<void> {
    const job = this.one(await this.bench.jobs(this.one(['running', 'running', 'pending'])));
    if (job === undefined) return;
    this.wishedJobs.add(Number(job['jid']));
    const words = ['QUEUE', 'kill', '-q', '--no-wait', `--grace=${this.one(['0s', '1s', '30s'])}`, String(job['jid'])];
    await this.waitOrKill('kill', this.bench.start(words));
  }

  private async pauseByCommand(): Promise<void> {
    const job = this.one(await this.bench.jobs('running'));
    if (job === undefined) return;
    await this.waitOrKill('pause', this.bench.start(['QUEUE', 'pause', '-q', String(job['jid'])]));
    await sleep(this.pick(0, 1000));
    await this.resumeAll();
  }

  private async resumeAll(): Promise<void> {
    await this.waitOrKill('resume', this.bench.start(['QUEUE', 'resume', '-q', 'running', 'pending']));
  }

  private async freezeFeeder(): Promise<void> {
    const host = this.one(this.options.hosts);
    const feeder = this.feeders.get(host);
    if (feeder === undefined || this.frozen.has(host)) return;
    this.note('feeder frozen');
    this.frozen.add(host);
    feeder.child.kill('SIGSTOP');
    await sleep(this.pick(0.1, this.options.maxFreezeSeconds) * 1000);
    feeder.child.kill('SIGCONT');
    this.frozen.delete(host);
  }

  private async rotate(): Promise<void> {
    const target = join(this.bench.directory, 'rot', String(++this.rotations));
    await this.waitOrKill('rotate', this.bench.start(['QUEUE', 'rotate', target]));
  }

  private async runOtherCommand(): Promise<void> {
    const priority = `priority=${Math.floor(this.pick(-9, 9))}`;
    const words = this.one([
      ['update', 'pending', priority],
      ['list', 'running'],
      ['status'],
      ['delete', 'tag=no-such-tag'],
      ['query', 'exit_status > 0'],
      ['snapshot', join(this.bench.directory, 'rot', `snapshot-${this.random()}`)],
    ]);
    await this.waitOrKill(words[0] ?? '', this.bench.start(['QUEUE', ...words]));
  }

  /** Waits for the end of a command, or kills it after a random time. Returns whether it was killed. */
  private async waitOrKill(command: string, { child, ended }: Process): Promise<boolean> {
    const kills = this.random() < 0.4;
    const timer = kills ? setTimeout(() => child.kill('SIGKILL'), this.pick(20, 400)) : undefined;
    const { signal, status, stderr } = await ended;
    clearTimeout(timer);
    if (signal === null && ![0, 1, 3].includes(status ?? -1))
      throw new Error(`${command} ended with ${status}: ${stderr}`);
    this.note(signal === null ? command : `${command} killed`);
    return signal !== null;
  }

  /** Submits batches of random size, and kills some of the submits. */
  private async submitAll(endMs: number): Promise<void> {
    const { jobs, seconds } = this.options;
    while (this.submitted < jobs && performance.now() < endMs) {
      const size = Math.min(Math.ceil(this.pick(1, jobs / 25)), jobs - this.submitted);
      const tag = `batch-${this.batches.length}`;
      const after = this.dependency();
      const entries = Array.from({ length: size }, () => ({ ...this.job(), ...after }));
      const submit = this.bench.start(['QUEUE', 'submit', '-q', `--tag=${tag}`, '-'], {
        input: JSON.stringify(entries),
      });
      const wasKilled = await this.waitOrKill('submit', submit);
      // The jobs that it depends on may have been rotated out of the queue.
      const isRefused = (await submit.ended).status === 3;
      this.batches.push({ tag, size: isRefused ? 0 : size, isAccepted: !wasKilled });
      if (!wasKilled && !isRefused) this.submitted += size;
      await sleep((this.pick(0, 1) * seconds * 1000) / 30);
    }
  }

  /** Some batches depend on an earlier one. */
  private dependency(): object {
    const { batches } = this;
    if (batches.length === 0 || this.random() < 0.6) return {};
    const { tag } = this.one(batches.slice(-3));
    return { after: `${this.one(['', 'any:', 'any:'])}tag=${tag}` };
  }

  private job(): object {
    const end =
      this.random() < 0.1 ? (['SIGTERM', 'SIGKILL', 'SIGUSR1'] as const)[Math.floor(this.pick(0, 3))] : undefined;
    const seconds = (this.random() ** 3 * 3).toFixed(2);
    const command = recordingCommand(seconds, end ?? Math.floor(this.pick(0, 100)));
    const retries = this.random() < 0.2 ? { retries: Math.ceil(this.pick(0, 3)), backoff: '0s..1s' } : {};
    const limit = this.random() < 0.1 ? { time_limit: Math.ceil(this.pick(0, 2)) } : {};
    return {
      command,
      restartable: this.random() < 0.3,
      priority: Math.floor(this.pick(-3, 3)),
      ...retries,
      ...limit,
      ...(this.random() < 0.1 ? { lanes: this.one(['a', 'b', 'a,b']) } : {}),
      ...(this.random() < 0.2 ? { cpus: Math.ceil(this.pick(0, this.options.slots)) } : {}),
    };
  }

  /** Stops all feeders, then drains the queue with new ones, which also run the jobs that the first ones gave back. */
  private async finishAllJobs(): Promise<void> {
    const { hosts, slots } = this.options;
    while (this.frozen.size > 0) await sleep(20);
    // A resume may have been killed.
    await this.bench.run(['QUEUE', 'resume', '-q', 'running', 'pending']);
    for (const { child } of this.feeders.values()) child.kill('SIGTERM');
    for (const { ended } of this.feeders.values()) await ended;
    for (let round = 0; round < 4; round++) {
      const counts = await this.bench.counts();
      if (round > 0 && counts['pending'] === 0 && counts['running'] === 0) break;
      const words = ['QUEUE', 'feed', '--until-empty', `--max_feed=${slots}`];
      await Promise.all(hosts.map((RQ_HOST) => this.bench.must(words, { environment: { RQ_HOST } })));
    }
    await this.bench.must(['QUEUE', 'rotate', join(this.bench.directory, 'rot', 'last')]);
    await this.bench.must(['QUEUE', 'snapshot', join(this.bench.directory, 'rot', 'snapshot-last')]);
    const rotations = readdirSync(join(this.bench.directory, 'rot')).filter((name) => !name.startsWith('snapshot'));
    this.places.push('QUEUE', ...rotations.map((name) => join(this.bench.directory, 'rot', name)));
  }
}

function readPid(path: string): number[] {
  try {
    return [Number(readFileSync(path, 'utf8'))];
  } catch {
    return [];
  }
}
