import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectedWaitS } from '../../../src/job/placement/expected-start.ts';
import { type ClaimRequest, claimJobs } from '../../../src/store/claim/claims.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { memoryDatabase } from '../../support/old-queue.ts';
import { addJob, submission } from '../../support/queue.ts';

const START_MS = Date.parse('2026-01-01T00:00:00.000Z');
const END = "UPDATE jobs SET state = 'finished', exit_status = 0, finished = started WHERE jid = ?";
let connection: Connection;
let cluster: SimulatedCluster;

/** Hosts that claim once a second, and jobs that run for the seconds in their commands. */
class SimulatedCluster {
  /** When each job started, in seconds. */
  readonly started = new Map<number, number>();
  private readonly running = new Map<number, { host: string; cpus: number; endS: number }>();
  private nowS = 0;

  constructor(
    private readonly hosts: Readonly<Record<string, number>>,
    private readonly reserveAfterS: number | null,
  ) {}

  add(seconds: number, fields: Parameters<typeof submission>[1] = {}): number {
    return addJob(connection, submission(`sleep ${seconds}`, fields));
  }

  /** `eachSecond` submits the stream of other jobs. */
  run(seconds: number, eachSecond: () => void = () => undefined): void {
    for (const endS = this.nowS + seconds; this.nowS < endS; this.nowS++) {
      eachSecond();
      for (const [jid, job] of this.running) if (job.endS <= this.nowS) this.end(jid);
      for (const host of Object.keys(this.hosts)) this.claim(host);
    }
  }

  private claim(host: string): void {
    const now = new Date(START_MS + this.nowS * 1000).toISOString();
    const by = { host, boot: 'b', journal: 'j', now };
    for (const { jid, command, cpus } of claimJobs(connection, by, this.request(host)).claimed) {
      const seconds = Number(command.split(' ')[1]);
      this.running.set(jid, { host, cpus: cpus ?? 1, endS: this.nowS + seconds });
      this.started.set(jid, this.nowS);
    }
  }

  private end(jid: number): void {
    this.running.delete(jid);
    connection.run(END, [jid]);
  }

  private request(host: string): ClaimRequest {
    const used = [...this.running.values()].filter((job) => job.host === host).reduce((sum, job) => sum + job.cpus, 0);
    const none = { memory: null, gpus: 0, resources: {} };
    const total = { cpus: this.hosts[host] ?? 0, ...none };
    return {
      room: { cpus: total.cpus - used, ahead: 0, ...none, total },
      mayRun: () => true,
      rules: { maxPerUser: null, isFair: false, reserveAfterS: this.reserveAfterS },
    };
  }
}

beforeEach(() => {
  connection = memoryDatabase();
  connection.migrate();
});

afterEach(() => connection.close());

/** Four jobs a second of one to three seconds keep four cpus busy. */
function stream(): void {
  for (const seconds of [1, 2, 3, 3]) cluster.add(seconds);
}

test('a job of all cpus starts within reserve_after and the longest job, in a stream of small jobs', () => {
  cluster = new SimulatedCluster({ h: 4 }, 10);
  cluster.run(3, stream);
  const jid = cluster.add(5, { cpus: 4 });
  cluster.run(60, stream);
  expect(cluster.started.get(jid)).toBeGreaterThanOrEqual(10);
  expect(cluster.started.get(jid)).toBeLessThanOrEqual(3 + 10 + 3 + 1);
  // The small jobs continue afterwards.
  expect(cluster.started.size).toBeGreaterThan(50);
});

test('without reservations, it does not start before the stream ends', () => {
  cluster = new SimulatedCluster({ h: 4 }, null);
  cluster.run(3, stream);
  const jid = cluster.add(5, { cpus: 4 });
  cluster.run(200, stream);
  expect(cluster.started.has(jid)).toBe(false);
});

test('jobs with a short time limit run beside a reservation, and do not delay it', () => {
  cluster = new SimulatedCluster({ h: 4 }, 10);
  const long = cluster.add(100, { time_limit: 100 });
  cluster.run(1);
  const wide = cluster.add(5, { cpus: 4 });
  cluster.run(12, stream);
  for (let count = 0; count < 500; count++) cluster.add(3);
  const [short, unlimited] = [cluster.add(20, { time_limit: 30 }), cluster.add(20)];
  const tooLong = cluster.add(120, { time_limit: 120 });
  cluster.run(88);
  expect(cluster.started.get(long)).toBe(0);
  expect(cluster.started.get(short)).toBeLessThan(40);
  expect(cluster.started.get(wide)).toBe(100);
  for (const jid of [unlimited, tooLong]) expect(cluster.started.has(jid)).toBe(false);
  cluster.run(600);
  for (const jid of [unlimited, tooLong]) expect(cluster.started.has(jid)).toBe(true);
});

test('a job in two busy lanes starts', () => {
  cluster = new SimulatedCluster({ h: 8 }, 10);
  for (const lane of ['a', 'b']) connection.run('INSERT INTO lanes VALUES (?, 2, NULL)', [lane]);
  const lanes = (): void => {
    for (const name of ['a', 'b', 'a', 'b']) cluster.add(2, { lanes: name });
  };
  cluster.run(3, lanes);
  const jid = cluster.add(3, { lanes: 'a,b' });
  cluster.run(60, lanes);
  expect(cluster.started.get(jid)).toBeLessThanOrEqual(3 + 10 + 2 + 2);
});

test('older and more important jobs go before a reservation', () => {
  cluster = new SimulatedCluster({ h: 2 }, 10);
  cluster.run(3, stream);
  const wide = cluster.add(5, { cpus: 2 });
  cluster.run(9, stream);
  const urgent = cluster.add(4, { priority: 1 });
  cluster.run(30, stream);
  expect(cluster.started.get(urgent)).toBeLessThan(cluster.started.get(wide) ?? 0);
});

test('another host takes a reservation over after an hour', () => {
  cluster = new SimulatedCluster({ a: 4, b: 4 }, 10);
  for (let count = 0; count < 4; count++) cluster.add(10_000);
  cluster.run(1);
  // The jobs of host b end one after the other.
  cluster.run(4, () => cluster.add(60));
  const jid = cluster.add(5, { cpus: 4 });
  // Host a has the reservation, and is busy for hours.
  const start = new Date(START_MS).toISOString();
  connection.run("INSERT INTO reservations VALUES (?, ?, 'a', ?)", [jid, start, start]);
  cluster.run(3_500, () => cluster.add(60));
  expect(cluster.started.has(jid)).toBe(false);
  cluster.run(250, () => cluster.add(60));
  expect(cluster.started.has(jid)).toBe(true);
});

test('the reservation of a job ends when it is claimed', () => {
  cluster = new SimulatedCluster({ h: 4 }, 10);
  cluster.run(3, stream);
  cluster.add(5, { cpus: 4 });
  cluster.run(60, stream);
  expect(connection.all('SELECT jid FROM reservations')).toEqual([]);
});

test('every job of a random mix starts, as long as it fits a host', () => {
  const anySize = fc.record({ seconds: fc.integer({ min: 1, max: 6 }), cpus: fc.constantFrom(1, 1, 2, 3, 4) });
  const property = fc.property(fc.array(anySize, { minLength: 1, maxLength: 30 }), (jobs) => {
    connection.execute('DELETE FROM jobs; DELETE FROM shapes; DELETE FROM reservations');
    cluster = new SimulatedCluster({ a: 4, b: 3 }, 5);
    const jids = jobs.map(({ seconds, cpus }) => cluster.add(seconds, { cpus }));
    const work = jobs.reduce((sum, { seconds }) => sum + seconds, 0);
    cluster.run(work + 12 * jobs.length, () => cluster.add(1, { cpus: 1 }));
    expect(jids.filter((jid) => !cluster.started.has(jid))).toEqual([]);
  });
  fc.assert(property, { numRuns: 30 });
});

test('the expected wait is the time until enough running jobs have ended', () => {
  const holder = { cpus: 2, memory: 0, gpus: 0, needs: {}, elapsedS: 10, timeLimitS: 60 };
  const none = { memory: 0, gpus: 0, needs: {} };
  const holders = [holder, { ...holder, timeLimitS: null }, { ...holder, timeLimitS: 15 }];
  expect(expectedWaitS({ cpus: 2, ...none }, { cpus: 1, ...none }, holders)).toBe(5);
  expect(expectedWaitS({ cpus: 4, ...none }, { cpus: 1, ...none }, holders)).toBe(10);
  expect(expectedWaitS({ cpus: 6, ...none }, { cpus: 1, ...none }, holders)).toBe(50);
});
