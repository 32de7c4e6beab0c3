import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { findMistakes, recordingCommand, recordsOf } from '../../support/job-records.ts';
import { Workbench } from '../../support/program.ts';
import { seededRandom } from '../../support/random.ts';
import { waitFor } from '../../support/wait-for.ts';

// RQ_RACES=200 is the long run. RQ_SEED repeats the same delays, but not the timing of the processes.
const ROUNDS = Number(process.env['RQ_RACES'] ?? 12);
const TIMEOUT_MS = (ROUNDS * 6 + 120) * 1000;

type Feeder = ReturnType<Workbench['start']>;

/** Feeds one queue, and disturbs the feeding while jobs are killed. */
class Race {
  readonly bench = new Workbench();
  readonly random = seededRandom(Number(process.env['RQ_SEED'] ?? Date.now() % 2 ** 31));
  /** The number of attempts of a job when its kill was recorded. */
  readonly attempts = new Map<number, number>();
  readonly killed = new Set<string>();
  private feeder: Feeder | undefined;

  async start(fields: object): Promise<void> {
    await this.bench.must(['QUEUE', 'create']);
    await this.bench.shell('mkdir rec');
    const jobs = Array.from({ length: ROUNDS }, () => ({ command: this.command(), ...fields }));
    await this.bench.must(['QUEUE', 'submit', '-q', '--tag=race', '-'], { input: JSON.stringify(jobs) });
    this.feed();
  }

  feed(): void {
    this.feeder = this.bench.start(['QUEUE', 'feed', '--max_feed=2', '--min_sleep=0.02', '--max_sleep=0.1']);
  }

  /** Kills a job after a random time. */
  async kill(jid: number): Promise<void> {
    await sleep(this.random() * 120);
    const words = ['QUEUE', 'kill', '--no-wait', '--grace=1s', '--json', String(jid)];
    const [job] = JSON.parse((await this.bench.must(words)) || '[]') as { attempt: number; state: string }[];
    // A job that has ended already is not printed.
    if (job !== undefined) this.attempts.set(jid, job.attempt);
  }

  async killFeeder(): Promise<void> {
    this.feeder?.child.kill('SIGKILL');
    await this.feeder?.ended;
    this.feed();
  }

  killRunner(): void {
    const root = this.bench.environment['RQ_RUNTIME_DIR'] ?? '';
    for (const name of readdirSync(root)) {
      try {
        process.kill(Number(readFileSync(join(root, name, 'runner.pid'), 'utf8')), 'SIGKILL');
      } catch {
        // It has just been killed, and the next one does not run yet.
      }
    }
  }

  killStarter(): void {
    for (const pid of this.bench.starters()) process.kill(pid, 'SIGKILL');
  }

  /** Ends the feeding, and checks that every job ended once and that no killed job began again. */
  async check(): Promise<void> {
    const { bench } = this;
    this.feeder?.child.kill('SIGTERM');
    await this.feeder?.ended;
    await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
    const batch = { tag: 'race', size: ROUNDS, isAccepted: true };
    const jids = new Set(Array.from({ length: ROUNDS }, (_, index) => index + 1));
    expect(await findMistakes(bench, ['QUEUE'], [batch], this.killed, jids)).toEqual([]);
    const jobs = await bench.jobs();
    const again = jobs.filter(({ jid, attempt }) => Number(attempt) > (this.attempts.get(Number(jid)) ?? 99));
    expect(again).toEqual([]);
    // Some kills must have come in time, or the test shows nothing.
    expect(jobs.filter(({ reason }) => reason !== undefined).length).toBeGreaterThan(0);
    expect(
      jobs.every(({ jid, state }) => state !== 'dead' || recordsOf(bench.directory, Number(jid)).length <= 3),
    ).toBe(true);
  }

  private command(): string {
    return recordingCommand((this.random() * 0.15).toFixed(2), this.random() < 0.5 ? 0 : 3);
  }
}

const RESTARTABLE = { restartable: true };

test.each([
  ['the claim, the start and the end', RESTARTABLE, () => undefined],
  ['the end of a backoff', { retries: 3, backoff: '0s..1s' }, () => undefined],
  ['the kill of the feeder', RESTARTABLE, (race: Race) => race.killFeeder()],
  ['the kill of the runner', RESTARTABLE, (race: Race) => race.killRunner()],
  ['the kill of the starter', RESTARTABLE, (race: Race) => race.killStarter()],
  [
    'the release of a claimed job',
    RESTARTABLE,
    async (race: Race) => {
      // A restart releases the jobs that have not begun.
      await race.bench.run(['QUEUE', 'restart']);
    },
  ],
] as const)(
  'a kill at the same time as %s ends the job once',
  async (_, fields, disturb) => {
    const race = new Race();
    await race.start(fields);
    for (let jid = 1; jid <= ROUNDS; jid++) {
      const kill = race.kill(jid);
      await sleep(race.random() * 120);
      await disturb(race);
      await kill;
    }
    await race.check();
  },
  TIMEOUT_MS,
);

test(
  'a kill of jobs whose host is lost, and comes back, ends each job once',
  async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    await bench.must(['QUEUE', 'configure', 'lost_after=10']);
    await bench.shell('mkdir rec');
    const command = recordingCommand('600', 0);
    const fields = Array.from({ length: ROUNDS }, (_, index) => ({ command, restartable: index % 2 === 0 }));
    await bench.must(['QUEUE', 'submit', '-q', '--tag=race', '-'], { input: JSON.stringify(fields) });
    const feed = (host: string): Feeder =>
      bench.start(['QUEUE', 'feed', `--max_feed=${ROUNDS}`, '--min_sleep=0.1', '--max_sleep=0.5'], {
        environment: { RQ_HOST: host },
      });
    const lost = feed('lost');
    await waitFor(async () => (await bench.jobs('running')).every(({ pid }) => Number(pid) > 0), 120_000);
    await waitFor(() => readdirSync(join(bench.directory, 'rec')).length === ROUNDS, 120_000);
    lost.child.kill('SIGSTOP');
    const half = Math.floor(ROUNDS / 2);
    // One half is killed before another host declares the host lost, the other half afterwards.
    await bench.must(['QUEUE', 'kill', '-q', '--no-wait', '--grace=1s', `1-${half}`]);
    const other = feed('other');
    await waitFor(async () => (await bench.jobs('running', 'runner=lost')).length === 0, 120_000);
    await bench.must(['QUEUE', 'kill', '-q', '--no-wait', '--grace=1s', `${half + 1}-${ROUNDS}`]);
    lost.child.kill('SIGCONT');
    await waitFor(async () => {
      const { running = 0, pending = 0 } = await bench.counts();
      return running + pending === 0 && bench.processes().length <= 6;
    }, 120_000);
    const jobs = await bench.jobs();
    for (const { jid, attempt, state, reason, restartable } of jobs) {
      expect([jid, state === 'finished' || state === 'dead']).toEqual([jid, true]);
      // Only restartable jobs of the second half were started by the other host.
      const isOfSecond = Number(jid) > half && restartable === true;
      expect([jid, Number(attempt) <= (isOfSecond ? 2 : 1)]).toEqual([jid, true]);
      expect([jid, recordsOf(bench.directory, Number(jid)).length <= Number(isOfSecond) + 1]).toEqual([jid, true]);
      expect(reason).toMatch(/^killed /);
    }
    for (const host of ['lost', 'other']) await bench.must(['QUEUE', 'shutdown'], { environment: { RQ_HOST: host } });
    await Promise.all([lost.ended, other.ended]);
  },
  TIMEOUT_MS + 300_000,
);
