import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HostRoom } from '../../../src/job/placement/room.ts';
import { type ClaimRequest, claimJobs, isClaimable } from '../../../src/store/claim/claims.ts';
import { ShapeIds } from '../../../src/store/claim/shapes.ts';
import type { Connection, Row } from '../../../src/store/connection.ts';
import { ALONE, insertJob } from '../../../src/store/submissions.ts';
import { memoryDatabase } from '../../support/old-queue.ts';
import { addJob, claimRequest, submission } from '../../support/queue.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const LATER = '2027-01-01T00:00:00.000Z';
let connection: Connection;

beforeEach(() => {
  connection = memoryDatabase();
  connection.migrate();
});

afterEach(() => connection.close());

type Generated<A> = A extends fc.Arbitrary<infer Value> ? Value : never;

interface ModelJob {
  readonly jid: number;
  readonly priority: number;
  readonly owner: string;
  readonly runners: string | null;
  readonly cpus: number;
  readonly memory: number;
  readonly gpus: number;
  readonly licences: number;
  readonly lanes: readonly string[];
  readonly array: number | null;
  isReady: boolean;
  isRunning: boolean;
}

interface Limits {
  readonly lanes: Readonly<Record<string, { max: number | null; paused: boolean }>>;
  readonly arrays: ReadonlyMap<number, { atMost: number | null; stopped: boolean }>;
  readonly maxPerUser: number | null;
  readonly isFair: boolean;
}

/** Claims as a reader of the rules would: one job at a time, each time looking at every job. */
function modelClaim(jobs: readonly ModelJob[], host: string, room: HostRoom, limits: Limits): number[] {
  const free = { ...room };
  const claimed: number[] = [];
  for (;;) {
    const cpusOf = (owner: string): number =>
      jobs.filter((job) => job.isRunning && job.owner === owner).reduce((sum, { cpus }) => sum + cpus, 0);
    const share = (job: ModelJob): number => (limits.isFair ? cpusOf(job.owner) : 0);
    const order = (a: ModelJob, b: ModelJob): number => b.priority - a.priority || share(a) - share(b) || a.jid - b.jid;
    const next = jobs
      .filter((job) => job.isReady)
      .sort(order)
      .find((job) => fits(job, jobs, host, free, limits));
    if (next === undefined || claimed.length >= room.cpus + room.ahead) return claimed;
    next.isReady = false;
    next.isRunning = true;
    claimed.push(next.jid);
    if (free.cpus < next.cpus) Object.assign(free, { ahead: free.ahead - 1 });
    else Object.assign(free, { cpus: free.cpus - next.cpus });
    const { memory, resources } = free;
    Object.assign(free, { gpus: free.gpus - next.gpus, memory: memory === null ? null : memory - next.memory });
    Object.assign(free, { resources: { licence: (resources['licence'] ?? 0) - next.licences } });
  }
}

function fits(job: ModelJob, jobs: readonly ModelJob[], host: string, free: HostRoom, limits: Limits): boolean {
  const running = jobs.filter(({ isRunning }) => isRunning);
  const isSimple = job.cpus === 1 && job.gpus === 0 && job.lanes.length === 0 && !isLimited(job, limits);
  if (job.runners !== null && job.runners !== host) return false;
  if (job.cpus > free.cpus && !(isSimple && limits.maxPerUser === null && free.ahead > 0)) return false;
  if (free.memory !== null && job.memory > free.memory) return false;
  if (job.gpus > free.gpus || job.licences > (free.resources['licence'] ?? 0)) return false;
  for (const name of job.lanes) {
    const lane = limits.lanes[name];
    const used = running.filter(({ lanes }) => lanes.includes(name)).length;
    if (lane?.paused === true || (lane?.max != null && used >= lane.max)) return false;
  }
  const array = job.array === null ? undefined : limits.arrays.get(job.array);
  const tasks = running.filter((other) => other.array === job.array).length;
  if (array?.stopped === true || (array?.atMost != null && tasks >= array.atMost)) return false;
  const { maxPerUser } = limits;
  return maxPerUser === null || running.filter(({ owner }) => owner === job.owner).length < maxPerUser;
}

function isLimited(job: ModelJob, limits: Limits): boolean {
  const array = job.array === null ? undefined : limits.arrays.get(job.array);
  return array !== undefined && (array.atMost !== null || array.stopped);
}

const GIB = 2 ** 30;
const laneNames = fc.subarray(['a', 'b', 'c']);
const anyJob = fc.record({
  priority: fc.constantFrom(0, 0, 0, 1, -1),
  owner: fc.constantFrom('ann', 'bob', 'cy'),
  runners: fc.constantFrom(null, null, 'h1', 'h2'),
  cpus: fc.constantFrom(1, 1, 2, 4),
  memory: fc.constantFrom(0, 0, GIB, 4 * GIB),
  gpus: fc.constantFrom(0, 0, 0, 1, 2),
  licences: fc.constantFrom(0, 0, 0, 1),
  lanes: fc.oneof(fc.constant([]), laneNames),
  array: fc.constantFrom(null, null, 1, 2, 3),
  state: fc.constantFrom('ready', 'ready', 'ready', 'gated', 'due', 'held'),
});
const anyLimit = fc.option(fc.integer({ min: 1, max: 3 }));
const anyRoom = fc.record({
  host: fc.constantFrom('h1', 'h2'),
  cpus: fc.integer({ min: 0, max: 8 }),
  ahead: fc.integer({ min: 0, max: 4 }),
  memory: fc.constantFrom(null, 2 * GIB, 8 * GIB),
  gpus: fc.integer({ min: 0, max: 2 }),
  licences: fc.integer({ min: 0, max: 2 }),
});
const anyCluster = fc.record({
  jobs: fc.array(anyJob, { maxLength: 40 }),
  lanes: fc.tuple(
    ...['a', 'b', 'c'].map(() => fc.record({ max: anyLimit, paused: fc.constantFrom(false, false, true) })),
  ),
  arrays: fc.tuple(
    ...[1, 2, 3].map(() => fc.record({ atMost: anyLimit, stopped: fc.constantFrom(false, false, true) })),
  ),
  maxPerUser: fc.option(fc.integer({ min: 1, max: 6 })),
  isFair: fc.boolean(),
  claims: fc.array(
    fc.record({
      room: anyRoom,
      ends: fc.array(fc.nat(39)),
      readied: fc.array(fc.nat(39)),
      raised: fc.array(fc.nat(39)),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

function limitsOf({ lanes, arrays, maxPerUser, isFair }: Generated<typeof anyCluster>): Limits {
  return {
    lanes: Object.fromEntries(
      ['a', 'b', 'c'].map((name, index) => [name, lanes[index] ?? { max: null, paused: false }]),
    ),
    arrays: new Map(arrays.map((array, index) => [index + 1, array])),
    maxPerUser,
    isFair,
  };
}

/** Writes the limits and the jobs, and returns the jobs of the model. */
function fill(cluster: Generated<typeof anyCluster>, limits: Limits): ModelJob[] {
  for (const [name, { max, paused }] of Object.entries(limits.lanes)) {
    connection.run('INSERT INTO lanes VALUES (?, ?, ?)', [name, max, paused ? 1 : null]);
  }
  for (const [array, { atMost, stopped }] of limits.arrays) {
    const values = [array, 40, atMost, stopped ? 1 : null, stopped ? NOW : null];
    connection.run('INSERT INTO arrays VALUES (?, ?, ?, ?, ?)', values);
  }
  connection.run('INSERT INTO gates (gate, died_of, decision) VALUES (1, NULL, NULL)');
  const shapes = new ShapeIds(connection);
  return cluster.jobs.map((job, index) => {
    const jid = index + 1;
    const { licences, lanes, memory, gpus, array, state } = job;
    const fields = {
      priority: job.priority,
      runners: job.runners,
      cpus: job.cpus,
      memory: memory || null,
      gpus: gpus || null,
      needs: licences > 0 ? `licence=${licences}` : null,
      lanes: lanes.length > 0 ? [...lanes].reverse().join(',') : null,
      due: state === 'due' ? LATER : null,
      stage: state === 'held',
    };
    const limit = array === null ? undefined : limits.arrays.get(array);
    const limited =
      array === null || limit === undefined ? null : { jid: array, atMost: limit.atMost, canStop: limit.stopped };
    const task = submission('true', fields);
    const shape = shapes.of({ ...task, owner: job.owner }, limited);
    const by = { submitted: NOW, submitter: 's', owner: job.owner };
    insertJob(connection, jid, task, by, { ...ALONE, shape, array, gate: state === 'gated' ? 1 : null });
    return { ...job, jid, isReady: state === 'ready', isRunning: false };
  });
}

function requestOf(room: Generated<typeof anyRoom>, limits: Limits): ClaimRequest {
  const { cpus, ahead, memory, gpus, licences } = room;
  const { maxPerUser, isFair } = limits;
  return {
    room: { cpus, ahead, memory, gpus, resources: { licence: licences } },
    mayRun: (runners) => runners === room.host,
    rules: { maxPerUser, isFair, reserveAfterS: null },
  };
}

test('a sequence of claims takes the same jobs as a model that looks at every job', () => {
  const property = fc.property(anyCluster, (cluster) => {
    connection.execute(
      'DELETE FROM jobs; DELETE FROM shapes; DELETE FROM lanes; DELETE FROM arrays; DELETE FROM gates',
    );
    const limits = limitsOf(cluster);
    const jobs = fill(cluster, limits);
    for (const { room, ends, readied, raised } of cluster.claims) {
      const request = requestOf(room, limits);
      const by = { host: room.host, boot: 'b', journal: 'j', now: NOW };
      const isFound = isClaimable(connection, by, request);
      const { claimed } = claimJobs(connection, by, request);
      const expected = modelClaim(jobs, room.host, request.room, limits);
      expect(claimed.map(({ jid }) => jid)).toEqual(expected);
      if (room.cpus + room.ahead > 0) expect(isFound).toBe(expected.length > 0);
      change(jobs, { ends, readied, raised });
    }
    expect(connection.all(BELOW_TOP)).toEqual([]);
  });
  fc.assert(property, { numRuns: 400 });
});

const BELOW_TOP = `SELECT jobs.jid FROM jobs JOIN shapes USING (shape)
  WHERE state = 'pending' AND gate IS NULL AND due IS NULL
  AND (top_jid IS NULL OR (-priority, jid) < (top_rank, top_jid))`;

/** Ends running jobs, makes others ready, and raises priorities, as reports and users do. */
function change(
  jobs: ModelJob[],
  { ends, readied, raised }: Record<'ends' | 'readied' | 'raised', readonly number[]>,
): void {
  for (const index of ends) {
    const job = jobs[index];
    if (job?.isRunning !== true) continue;
    job.isRunning = false;
    job.isReady = index % 2 === 0;
    const next = job.isReady ? RELEASE : END;
    connection.run(next, [job.jid]);
  }
  for (const index of readied) {
    const job = jobs[index];
    if (job === undefined || job.isRunning || connection.get(IS_WAITING, [job.jid]) === undefined) continue;
    job.isReady = true;
    connection.run("UPDATE jobs SET gate = NULL, due = NULL, state = 'pending' WHERE jid = ?", [job.jid]);
  }
  for (const index of raised) {
    const job = jobs[index];
    if (job === undefined) continue;
    jobs[index] = { ...job, priority: job.priority + 1 };
    connection.run('UPDATE jobs SET priority = priority + 1 WHERE jid = ?', [job.jid]);
  }
}

const IS_WAITING = "SELECT 1 FROM jobs WHERE jid = ? AND state IN ('pending', 'holding')";
const RELEASE = `UPDATE jobs SET state = 'pending', started = NULL, runner = NULL, boot = NULL, journal = NULL,
  stdout = NULL, stderr = NULL WHERE jid = ?`;
const END = "UPDATE jobs SET state = 'finished', exit_status = 0, finished = started WHERE jid = ?";

function add(fields: Parameters<typeof submission>[1] = {}): number {
  return addJob(connection, submission('true', fields));
}

const BY = { host: 'h', boot: 'b', journal: 'j', now: NOW };
const REQUEST = claimRequest(8);

test('a job whose requests SQL of a user has changed is claimed by its new requests', () => {
  const jid = add({ cpus: 16 });
  expect(claimJobs(connection, BY, REQUEST).claimed).toEqual([]);
  connection.run('UPDATE jobs SET cpus = 2');
  expect(isClaimable(connection, BY, REQUEST)).toBe(true);
  expect(claimJobs(connection, BY, REQUEST).claimed).toMatchObject([{ jid }]);
});

test('jobs without a shape, as after an upgrade, get one a thousand at a time', () => {
  for (let index = 0; index < 1_500; index++) add();
  connection.run('UPDATE jobs SET shape = NULL');
  connection.run('UPDATE shapes SET top_rank = NULL, top_jid = NULL');
  const shapeless = (): Row['x'] => connection.get('SELECT count(*) AS x FROM jobs WHERE shape IS NULL')?.['x'] ?? null;
  expect(claimJobs(connection, BY, REQUEST).claimed).toHaveLength(8);
  expect(shapeless()).toBe(500);
  expect(claimJobs(connection, BY, REQUEST).claimed).toHaveLength(8);
  expect(shapeless()).toBe(0);
});

test('the top of a shape that a host skips is not lowered, because another host may claim its first job', () => {
  const skipped = JSON.stringify({ h: { count: 1, first: NOW, until: LATER, reason: 'no directory' } });
  for (const tag of ['a', 'b', 'c', 'd']) {
    const jid = add({ lanes: tag });
    connection.run('UPDATE jobs SET failed_starts = ? WHERE jid = ?', [skipped, jid]);
  }
  expect(claimJobs(connection, BY, REQUEST).claimed).toEqual([]);
  expect(claimJobs(connection, { ...BY, host: 'other' }, REQUEST).claimed).toHaveLength(4);
});

test('tops that are stale are lowered once they make a claim read in vain', () => {
  for (const lanes of ['a', 'b', 'c', 'd']) add({ lanes });
  claimJobs(connection, BY, REQUEST);
  const tops = (): unknown => connection.get('SELECT count(top_jid) AS tops FROM shapes')?.['tops'];
  expect(tops()).toBe(4);
  claimJobs(connection, BY, REQUEST);
  expect(tops()).toBe(0);
});
