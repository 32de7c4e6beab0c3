import fc from 'fast-check';
import { capacityOf } from '../../src/job/placement/why/capacity.ts';
import type { HostState } from '../../src/job/placement/why/facts.ts';
import { ShapeIds } from '../../src/store/claim/shapes.ts';
import type { Connection } from '../../src/store/connection.ts';
import { ALONE, insertJob } from '../../src/store/submissions.ts';
import { submission } from './queue.ts';

export const NOW = '2026-01-01T00:00:00.000Z';
const EARLIER = '2025-12-31T23:00:00.000Z';
const LATER = '2026-01-01T01:00:00.000Z';
const RECENTLY = '2025-12-31T23:45:00.000Z';
const PASSED = { host: null, since: null };
const GIB = 2 ** 30;

const HOSTS = ['h1', 'h2', 'h3'] as const;
const LANES = ['a', 'b'] as const;
const ARRAYS = [1, 2] as const;
/** A gate that is closed, one whose dependency failed, and one that is open but not decided yet. */
const GATES = { closed: 1, hopeless: 2, open: 3 } as const;
/** The jids of the dependencies of the gates. */
const PARENTS = { closed: 1, hopeless: 2, open: 3 } as const;
/** The jid of the first job of a cluster. */
export const FIRST_JID = 10;

const anyJob = fc.record({
  priority: fc.constantFrom(0, 0, 0, 1, -1),
  owner: fc.constantFrom('ann', 'bob'),
  runners: fc.constantFrom(null, null, null, null, null, 'h1', 'h2,h9', 'h9', 'h[23]'),
  cpus: fc.constantFrom(1, 1, 1, 1, 1, 2, 4, 11),
  memory: fc.constantFrom(null, null, null, null, GIB, 4 * GIB),
  gpus: fc.constantFrom(null, null, null, null, null, 1, 3),
  needs: fc.constantFrom(null, null, null, null, null, 'licence=1', 'licence=2,port=1'),
  lanes: fc.constantFrom(null, null, null, null, 'a', 'b', 'a,b'),
  array: fc.constantFrom(null, null, null, ...ARRAYS),
  state: fc.constantFrom('running', 'ready', 'ready', 'ready', 'overdue', 'shapeless', 'held', 'due', 'gated'),
  gate: fc.constantFrom('closed', 'hopeless', 'open'),
  runner: fc.constantFrom(...HOSTS),
  reservation: fc.constantFrom(
    null,
    null,
    null,
    { host: 'h1', since: EARLIER },
    { host: 'h1', since: RECENTLY },
    PASSED,
  ),
  skips: fc.constantFrom(null, null, null, { host: 'h1', until: LATER }, { host: 'h2', until: EARLIER }),
});
export type RandomJob = FcType<typeof anyJob>;
type FcType<A> = A extends fc.Arbitrary<infer Value> ? Value : never;

const anyLimit = fc.option(fc.integer({ min: 1, max: 4 }));
const anyHost = fc.record({
  cpus: fc.integer({ min: 1, max: 10 }),
  memory: fc.constantFrom('', `${2 * GIB}`, `${8 * GIB}`),
  gpus: fc.constantFrom('', '0', '1', '2'),
  have: fc.constantFrom('', 'licence=1', 'licence=2,port=3'),
  isFeeding: fc.constantFrom(true, true, true, true, false),
  isDrained: fc.constantFrom(false, false, false, false, true),
});

/** A cluster of three hosts, with jobs in all situations that keep a job from being claimed. */
export const anyCluster = fc.record({
  jobs: fc.array(anyJob, { minLength: 1, maxLength: 25 }),
  hosts: fc.tuple(anyHost, anyHost, anyHost),
  lanes: fc.tuple(...LANES.map(() => fc.record({ max: anyLimit, paused: fc.constantFrom(null, null, null, 1) }))),
  arrays: fc.tuple(
    ...ARRAYS.map(() => fc.record({ atMost: anyLimit, maxFails: fc.constantFrom(null, 2), stops: fc.boolean() })),
  ),
  maxPerUser: fc.constantFrom(null, null, null, 3, 6),
  isFair: fc.boolean(),
});
export type RandomCluster = FcType<typeof anyCluster>;

const CLEAR = ['jobs', 'shapes', 'lanes', 'arrays', 'gates', 'needs', 'hosts', 'attributes']
  .map((table) => `DELETE FROM ${table}`)
  .join('; ');
const RUN = `UPDATE jobs SET state = 'running', started = :now, runner = :host, boot = 'b', journal = 'j', attempt = 1, claim = 1,
  stdout = 'o', stderr = 'e' WHERE jid = :jid`;
const FAIL = `UPDATE jobs SET state = 'dead', reason = 'killed', finished = submitted WHERE jid = ?`;

/** Replaces the contents of a database by a cluster. Returns its hosts. */
export function fillCluster(connection: Connection, cluster: RandomCluster): HostState[] {
  connection.execute(CLEAR);
  const { lanes, arrays, maxPerUser, isFair } = cluster;
  for (const [index, { max, paused }] of lanes.entries()) {
    connection.run('INSERT INTO lanes VALUES (?, ?, ?)', [LANES[index] ?? '', max, paused]);
  }
  for (const [index, { atMost, maxFails, stops }] of arrays.entries()) {
    const stopped = stops && maxFails !== null ? NOW : null;
    connection.run('INSERT INTO arrays VALUES (?, 9, ?, ?, ?)', [ARRAYS[index] ?? 0, atMost, maxFails, stopped]);
  }
  if (maxPerUser !== null) connection.run("INSERT INTO attributes VALUES ('max_per_user', ?)", [String(maxPerUser)]);
  if (isFair) connection.run("INSERT INTO attributes VALUES ('fair', 'true')");
  addGates(connection);
  for (const [index, job] of cluster.jobs.entries()) add(connection, FIRST_JID + index, job, cluster);
  return cluster.hosts.map(({ isFeeding, isDrained, cpus, ...facts }, index): HostState => {
    const host = HOSTS[index] ?? '';
    if (isDrained) connection.run("INSERT INTO hosts VALUES (?, ?, 'ann on h1', NULL)", [host, NOW]);
    const capacity = capacityOf({ cpus: String(cpus), ...facts });
    return { host, isFeeding, lastHeartbeat: isFeeding ? NOW : EARLIER, capacity };
  });
}

function addGates(connection: Connection): void {
  for (const name of ['closed', 'hopeless', 'open'] as const) {
    connection.run('INSERT INTO gates (gate) VALUES (?)', [GATES[name]]);
    if (name !== 'open') connection.run("INSERT INTO needs VALUES (?, ?, 'ok')", [PARENTS[name], GATES[name]]);
    addRow(connection, PARENTS[name], { stage: true });
  }
  connection.run(FAIL, [PARENTS.hopeless]);
}

function add(connection: Connection, jid: number, job: RandomJob, { arrays }: RandomCluster): void {
  const { priority, runners, cpus, memory, gpus, needs, lanes, array, state, gate, skips, reservation } = job;
  const due = { due: LATER, overdue: EARLIER }[state as string] ?? null;
  const fields = { priority, runners, cpus, memory, gpus, needs, lanes, due, stage: state === 'held' };
  const limit = array === null ? undefined : arrays[ARRAYS.indexOf(array)];
  const limits =
    array === null || limit === undefined
      ? null
      : { jid: array, atMost: limit.atMost, canStop: limit.maxFails !== null };
  addRow(connection, jid, fields, { owner: job.owner, array, limits, gate: state === 'gated' ? GATES[gate] : null });
  if (state === 'running') connection.run(RUN, { jid, host: job.runner, now: NOW });
  if (state === 'shapeless') connection.run('UPDATE jobs SET shape = NULL WHERE jid = ?', [jid]);
  if (reservation !== null && state !== 'running') {
    const { host, since } = reservation;
    connection.run('INSERT INTO reservations VALUES (?, ?, ?, ?)', [jid, EARLIER, host, since]);
  }
  if (skips === null || state === 'running') return;
  const failures = { [skips.host]: { count: 1, first: EARLIER, until: skips.until, reason: 'no directory' } };
  connection.run('UPDATE jobs SET failed_starts = ? WHERE jid = ?', [JSON.stringify(failures), jid]);
}

interface RowPlace {
  readonly owner: string;
  readonly array: number | null;
  readonly limits: Parameters<ShapeIds['of']>[1];
  readonly gate: number | null;
}

function addRow(
  connection: Connection,
  jid: number,
  fields: Parameters<typeof submission>[1],
  { owner, array, limits, gate }: RowPlace = { owner: 'ann', array: null, limits: null, gate: null },
): void {
  const task = submission('true', fields);
  const shape = new ShapeIds(connection).of({ ...task, owner }, limits);
  const by = { submitted: NOW, submitter: 's', owner };
  insertJob(connection, jid, task, by, { ...ALONE, shape, array, gate });
}
