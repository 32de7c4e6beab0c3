// Bundled and imported by placement.mjs.
import { readFileSync } from 'node:fs';
import { completeEntry } from '../src/job/fields.ts';
import type { Submission } from '../src/job/job.ts';
import type { LimitedArray } from '../src/job/placement/shape.ts';
import { type ClaimRequest, claimJobs } from '../src/store/claim/claims.ts';
import { ShapeIds } from '../src/store/claim/shapes.ts';
import { Connection } from '../src/store/connection.ts';
import { ALONE, insertJob } from '../src/store/submissions.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const BY = { host: 'h', boot: 'b', journal: 'j', now: NOW };
const CLAIMED = 8;
const PAGE_BYTES = 4096;
const REQUEST: ClaimRequest = {
  room: { cpus: CLAIMED, ahead: 0, memory: null, gpus: 0, resources: {} },
  mayRun: (runners) => runners.split(',').includes('h'),
  rules: { maxPerUser: null, isFair: false, reserveAfterS: 600 },
};

/** How the jobs of a database differ: not at all, by their hosts, or by their lanes and arrays, each with a limit. */
export type Kind = 'one' | 'hosts' | 'limits';

/** Fills a new database with pending jobs of a number of shapes. */
export function fill(path: string, jobs: number, shapes: number, kind: Kind): void {
  const connection = Connection.open(path, { create: true, busyMs: 0 });
  connection.execute('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
  connection.migrate();
  if (kind === 'limits') addLimits(connection, shapes);
  const ids = new ShapeIds(connection);
  const plain: Submission = { ...completeEntry({ command: 'true', cwd: '/tmp' }), stage: false };
  const by = { submitted: NOW, submitter: 's', owner: 'o' };
  for (let jid = 1; jid <= jobs; jid++) {
    const number = (jid * 7919) % shapes;
    const job = { ...plain, ...(kind === 'one' ? {} : fieldsOf(kind, number)) };
    const array: LimitedArray | null = kind === 'limits' ? { jid: number + 1, atMost: 4, canStop: true } : null;
    const shape = ids.of({ ...job, owner: by.owner }, array);
    insertJob(connection, jid, job, by, { ...ALONE, shape, array: array?.jid ?? null });
  }
  connection.execute('COMMIT');
  connection.close();
}

function fieldsOf(kind: Kind, number: number): Partial<Submission> {
  return kind === 'hosts' ? { runners: `h,x${number}` } : { lanes: `lane${number}` };
}

function addLimits(connection: Connection, count: number): void {
  for (let number = 0; number < count; number++) {
    connection.run('INSERT INTO lanes (name, max) VALUES (?, 4)', [`lane${number}`]);
    connection.run('INSERT INTO arrays (array, tasks, at_most, max_fails) VALUES (?, 1, 4, 9)', [number + 1]);
  }
}

/** The median time of a claim of eight jobs in milliseconds, on an open connection. */
export function claimMs(path: string, rounds: number): number {
  const connection = Connection.open(path, { busyMs: 0 });
  const times = Array.from({ length: rounds }, () => {
    connection.execute('BEGIN IMMEDIATE');
    const start = performance.now();
    claim(connection);
    const ms = performance.now() - start;
    connection.execute('ROLLBACK');
    return ms;
  });
  connection.close();
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

/** The pages that a claim reads on a connection whose cache is empty, as after another host has written. */
export function claimPages(path: string): number {
  const connection = Connection.open(path, { busyMs: 0 });
  connection.execute('BEGIN IMMEDIATE');
  const before = readBytes();
  claim(connection);
  const pages = (readBytes() - before) / PAGE_BYTES;
  connection.close();
  return pages;
}

function claim(connection: Connection): void {
  const { claimed } = claimJobs(connection, BY, REQUEST);
  if (claimed.length !== CLAIMED) throw new Error(`claimed ${claimed.length} of ${CLAIMED} jobs`);
}

/** The bytes that this process has read (proc(5), io). */
function readBytes(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
}
