import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorCode, type RqError } from '../../../src/job/errors.ts';
import type { Exit } from '../../../src/runner/protocol/messages.ts';
import { seededRandom } from '../../support/random.ts';
import { type Connected, RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

// RQ_KILLS=1000 is the long run. RQ_SEED repeats the same actions, but not the timing of the processes.
const KILLS = Number(process.env['RQ_KILLS'] ?? 40);
const JOBS_AT_ONCE = 10;
const FILES = [
  'begun',
  'journal',
  'runner.log',
  'runner.pid',
  'runner.sock',
  'scripts',
  'starter.lock',
  'starter.sock',
];

type State = 'spawned' | 'running' | 'exited' | 'never started';

/** What is known of an attempt. `pid` is that of its leader. */
interface Attempt {
  state: State;
  pid?: number;
  exit?: Exit;
  wasKilled?: true;
  /** A starter was killed while this attempt may have run. */
  mayBeLost?: true;
}

/** Spawns jobs, kills the runner, the starter and jobs, and keeps what each runner reports. */
class Killer {
  readonly harness = new RunnerHarness();
  readonly attempts = new Map<number, Attempt>();
  readonly kills: Record<string, number> = { runner: 0, starter: 0, job: 0 };
  private connected: Connected | undefined;

  constructor(private readonly random: () => number) {
    mkdirSync(this.harness.file('begun'));
  }

  async run(kills: number): Promise<void> {
    await this.reconnect();
    for (let kill = 0; kill < kills; kill++) {
      await this.fill();
      await waitFor(() => this.random() < 0.3);
      const chance = this.random();
      if (chance < 0.4) await this.killRunner();
      else if (chance < 0.7) await this.killStarter();
      else this.killJob();
      this.collect();
    }
    await waitFor(async () => {
      if (this.harness.runners().length === 0) await this.reconnect();
      this.collect();
      return this.unfinished().length === 0;
    });
  }

  private get client(): Connected['client'] {
    if (this.connected === undefined) throw new Error('not connected');
    return this.connected.client;
  }

  private unfinished(): [number, Attempt][] {
    return [...this.attempts].filter(([, { state }]) => state === 'spawned' || state === 'running');
  }

  /** Each job appends a line to a file of its own, so that a second execution is seen. */
  private command(jid: number): string {
    const orphan = this.random() < 0.2 ? '(setsid true &); ' : '';
    return `echo $$ >>begun/${jid}; ${orphan}sleep ${(this.random() * 0.4).toFixed(2)}; exit ${jid % 100}`;
  }

  private async fill(): Promise<void> {
    const { client } = this;
    for (let count = this.unfinished().length; count < JOBS_AT_ONCE; count++) {
      const jid = this.attempts.size + 1;
      const attempt: Attempt = { state: 'spawned' };
      this.attempts.set(jid, attempt);
      client.spawn(this.harness.job(jid, this.command(jid))).then(
        ({ pid }) => this.started(attempt, pid),
        ({ facts }: RqError) => {
          // Without a reply, the list of the next runner shows whether it was started.
          if (facts['code'] === 'CANCELLED') attempt.state = 'never started';
        },
      );
    }
    // A reply shows that the runner has the requests.
    await client.ack([]).catch(() => undefined);
  }

  private started(attempt: Attempt, pid: number | null): void {
    if (attempt.state === 'spawned') attempt.state = 'running';
    if (pid !== null) attempt.pid = pid;
  }

  private finish(exit: Exit): void {
    const attempt = this.attempts.get(exit.jid);
    if (attempt === undefined) throw new Error(`unknown job ${exit.jid}`);
    attempt.state = 'exited';
    attempt.exit ??= exit;
    expect(attempt.exit).toEqual(exit);
  }

  /** Takes the exits that the current runner has reported, and acknowledges them. */
  private collect(): void {
    const exits = [...(this.connected?.exits.values() ?? [])];
    for (const exit of exits) this.finish(exit);
    this.connected?.exits.clear();
    if (exits.length > 0) void this.client.ack(exits).catch(() => undefined);
  }

  private async killRunner(): Promise<void> {
    this.kills['runner'] = (this.kills['runner'] ?? 0) + 1;
    await this.harness.killRunner();
    await this.reconnect();
  }

  /** The runner exits without a starter. Sometimes it is killed first, so that the next runner finds no starter. */
  private async killStarter(): Promise<void> {
    this.kills['starter'] = (this.kills['starter'] ?? 0) + 1;
    for (const [, attempt] of this.unfinished()) attempt.mayBeLost = true;
    if (this.random() < 0.3) await this.harness.killRunner();
    await this.harness.killStarter();
    await waitFor(() => this.harness.runners().length === 0);
    await this.reconnect();
  }

  private killJob(): void {
    const running = this.unfinished().flatMap(([, attempt]) => (attempt.pid === undefined ? [] : [attempt]));
    const attempt = running[Math.floor(this.random() * running.length)];
    if (attempt?.pid === undefined || !this.harness.processes().includes(attempt.pid)) return;
    attempt.wasKilled = true;
    try {
      process.kill(attempt.pid, 'SIGKILL');
      this.kills['job'] = (this.kills['job'] ?? 0) + 1;
    } catch (error) {
      // The job has ended in the meantime.
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  }

  /** Connects to the next runner. What it does not list, and was not acknowledged, was never started. */
  private async reconnect(): Promise<void> {
    await this.connected?.disconnected;
    this.collect();
    this.connected = await this.harness.start();
    const listed = new Map((await this.client.list()).map((attempt) => [attempt.jid, attempt]));
    for (const [jid, attempt] of this.unfinished()) {
      const found = listed.get(jid);
      if (found === undefined) attempt.state = 'never started';
      else if (found.state === 'running') this.started(attempt, found.pid);
      else this.finish(found.exit);
    }
    const exited = [...listed.values()].filter(({ state }) => state === 'exited');
    await this.client.ack(exited).catch(() => undefined);
  }

  /** What contradicts the files that the jobs wrote. */
  mistakes(): string[] {
    return [...this.attempts].flatMap(([jid, attempt]) => {
      const path = this.harness.file(`begun/${jid}`);
      const begun = existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
      const complain = (text: string): string[] => [`${jid}: ${text}; ran ${begun} times: ${JSON.stringify(attempt)}`];
      if (begun > 1) return complain('ran twice');
      if (attempt.state === 'never started') return begun > 0 ? complain('ran, although it was never started') : [];
      const { exit } = attempt;
      if (exit?.isLost) return attempt.mayBeLost ? [] : complain('lost without reason');
      if (exit?.signal === 'SIGKILL' && attempt.wasKilled) return [];
      if (begun === 0) return complain('did not run');
      return exit?.exit_status === jid % 100 ? [] : complain('wrong status');
    });
  }
}

test(
  'the records are exact after runners, starters and jobs were killed at random',
  async () => {
    const seed = Number(process.env['RQ_SEED'] ?? Date.now() % 2 ** 31);
    const killer = new Killer(seededRandom(seed));
    await killer.run(KILLS);
    const { harness, attempts } = killer;
    const lost = [...attempts.values()].filter(({ exit }) => exit?.isLost).length;
    console.log(`RQ_SEED=${seed}, ${attempts.size} jobs, ${lost} lost, kills: ${JSON.stringify(killer.kills)}`);
    expect(killer.mistakes()).toEqual([]);
    // Nothing is left but the runner and the starter, with the descriptors and files of a runner without jobs.
    await waitFor(() => harness.processes().length === 2);
    expect(readdirSync(harness.directory).sort()).toEqual(FILES);
    expect(readdirSync(join(harness.directory, 'scripts'))).toEqual([]);
    for (const pid of [...harness.runners(), ...harness.starters()]) {
      expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(40);
    }
    expect(readdirSync(`/proc/${harness.starters()[0]}/task`)).toHaveLength(1);
  },
  60_000 + KILLS * 2000,
);
