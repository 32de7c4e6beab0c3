import { beforeEach, expect, test } from 'vitest';
import { exchange } from '../../../src/queue/exchange/exchange.ts';
import { changeJobs } from '../../../src/queue/jobs/change-jobs.ts';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import type { Queue } from '../../../src/queue/open.ts';
import { recoverQueue } from '../../../src/queue/recovery/recover.ts';
import type { Row } from '../../../src/store/connection.ts';
import { zeroPage } from '../../support/damage.ts';
import { newQueue, roomFor, submission } from '../../support/queue.ts';

const BY = { host: 'h', boot: 'b', journal: 'j' };
const NOW = '2026-01-01T00:00:00.000Z';
const NONE = { starts: [], ends: [], releases: [], mayRun: () => true, claimant: BY };
const PARENTS = 200;
let queue: Queue;
let messages: string[];

/** Jobs 1 to 200, each with a dependent (201 to 400), and job 401 after all of these. */
beforeEach(async () => {
  queue = await newQueue();
  messages = [];
  await submitJobs(
    queue,
    Array.from({ length: PARENTS }, () => submission('true', { tag: 'parent' })),
  );
  const dependents = Array.from({ length: PARENTS }, (_, index) => submission('true', { after: `${index + 1}` }));
  await submitJobs(queue, dependents);
  await submitJobs(queue, [submission('true', { after: `${PARENTS + 1}-${2 * PARENTS}` })]);
});

function all(sql: string): Row[] {
  return queue.connect('read').all(sql);
}

async function recoverAfterDamage(object: string): Promise<void> {
  const root = Number(all(`SELECT rootpage FROM sqlite_schema WHERE name = '${object}'`)[0]?.['rootpage']);
  queue.close();
  zeroPage(queue.database, root);
  await recoverQueue(queue, (line) => messages.push(line));
}

/** Ends the first parents; those with even jids fail. Returns the jids that are claimed next. */
async function endParents(count: number): Promise<number[]> {
  const { claimed } = await exchange(queue, { ...NONE, room: roomFor(count) });
  const times = { started: NOW, finished: NOW, elapsed: 1, pid: 5, signal: null, reason: null, isLost: false };
  const ends = claimed.map(({ jid, claim }) => ({ jid, claim, ...times, exit_status: jid % 2 === 0 ? 1 : 0 }));
  const next = await exchange(queue, { ...NONE, ends, room: roomFor(2 * PARENTS) });
  return next.claimed.map(({ jid }) => jid).filter((jid) => jid > PARENTS);
}

test('a recovery keeps the dependencies of jobs', async () => {
  const before = [all('SELECT * FROM gates'), all('SELECT * FROM needs')];
  await recoverAfterDamage('jobs_by_tag');
  expect([all('SELECT * FROM gates'), all('SELECT * FROM needs')]).toEqual(before);
  expect(await endParents(3)).toEqual([PARENTS + 1, PARENTS + 3]);
  expect(all("SELECT jid, reason FROM jobs WHERE state = 'dead'")).toEqual([
    { jid: PARENTS + 2, reason: 'needs 2, which failed' },
    { jid: 2 * PARENTS + 1, reason: `needs ${PARENTS + 2}, which failed` },
  ]);
  queue.close();
});

test.each(['needs', 'gates'])(
  'jobs whose dependencies cannot be read (table %s) are not claimed until they get new ones',
  async (table) => {
    await recoverAfterDamage(table);
    expect(messages.join()).toContain(`the dependencies of ${PARENTS + 1} jobs could not be read`);
    expect(await endParents(3)).toEqual([]);
    const of = (first: number): Parameters<typeof changeJobs>[1] => {
      return { all: false, ranges: [{ first, last: first }], states: [], pairs: [] };
    };
    await changeJobs(queue, of(PARENTS + 1), { after: '1' }, 'update');
    await changeJobs(queue, of(PARENTS + 4), { after: null }, 'update');
    const { claimed } = await exchange(queue, { ...NONE, room: roomFor(9) });
    expect(claimed.map(({ jid }) => jid)).toEqual([PARENTS + 1, PARENTS + 4]);
    queue.close();
  },
);

test('ends and deletions that were not worked off are decided after a recovery', async () => {
  await exchange(queue, { ...NONE, room: roomFor(2) });
  const connection = queue.connect('write');
  // As SQL of a user, after which no exchange has been made.
  connection.execute("UPDATE jobs SET state = 'finished', exit_status = 0, finished = started WHERE jid = 1");
  connection.execute('DELETE FROM jobs WHERE jid = 2');
  await recoverAfterDamage('decisions');
  const { claimed } = await exchange(queue, { ...NONE, room: roomFor(2 * PARENTS) });
  expect(claimed.map(({ jid }) => jid).filter((jid) => jid > PARENTS)).toEqual([PARENTS + 1]);
  expect(all(`SELECT state, reason FROM jobs WHERE jid = ${PARENTS + 2}`)).toEqual([
    { state: 'dead', reason: 'needs 2, which was deleted' },
  ]);
  queue.close();
});
