import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { Hosts } from '../../support/hosts.ts';
import { Workbench } from '../../support/program.ts';
import { mostRunning, recorded, recordsIn } from '../../support/run-records.ts';
import { waitFor } from '../../support/wait-for.ts';

const FAST = ['--min_sleep=0.1', '--max_sleep=0.3'];
/** So long that no host finds a free place in a lane by a poll. */
const SLOW_POLLS = ['--min_sleep=60', '--max_sleep=90'];

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function lanes(bench: Workbench, ...words: string[]): Promise<unknown> {
  return JSON.parse(await bench.must(['QUEUE', 'lane', '--json', ...words]));
}

async function finished(bench: Workbench, count: number, timeoutMs = 60_000): Promise<void> {
  await waitFor(async () => (await bench.counts())['finished'] === count, timeoutMs);
}

/** The numbers of running and pending jobs, as every transaction sees them. */
const COUNTS = `SELECT count(*) FILTER (WHERE state = 'running') AS running,
  count(*) FILTER (WHERE state = 'pending') AS pending FROM jobs`;

test('with a limit of 3, exactly 3 of 500 jobs run on four hosts, as long as more are waiting', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'lane', 'disk', 'limit=3']);
  const input = `${recorded('read -t 0.02 <> <(:)')}\n`.repeat(500);
  await bench.must(['QUEUE', 'submit', '-q', '--lane=disk', '-'], { input });
  const hosts = new Hosts(bench, [...SLOW_POLLS, '--max_feed=2']);
  await hosts.start('a', 'b', 'c', 'd');
  const database = Connection.open(join(bench.queue, 'db'), { readOnly: true, busyMs: 10_000 });
  const seen: number[] = [];
  await waitFor(() => {
    const { running, pending } = database.get(COUNTS) ?? {};
    if (Number(pending) > 0) seen.push(Number(running));
    return Number(running) + Number(pending) === 0;
  }, 110_000);
  database.close();
  await hosts.shutDown();
  const records = recordsIn(bench);
  expect(records).toHaveLength(1000);
  expect(mostRunning(records)).toBe(3);
  // The transaction that reports the end of a job starts the next one.
  const full = seen.slice(seen.indexOf(3));
  expect(full.length).toBeGreaterThan(20);
  expect(new Set(full)).toEqual(new Set([3]));
}, 150_000);

test('no job of a paused lane starts, and others do', async () => {
  const bench = await newQueue();
  expect(await lanes(bench, 'gpu', 'paused=true')).toEqual([{ name: 'gpu', paused: true, running: 0, pending: 0 }]);
  await bench.must(['QUEUE', 'submit', '-q', '--priority=5', '--lane=gpu,disk', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--priority=5', '--lane=gpu', '--lane=net', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--lane=disk', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect((await bench.jobs()).map(({ state }) => state)).toEqual(['pending', 'pending', 'finished', 'finished']);
  expect(await lanes(bench)).toEqual([
    { name: 'disk', paused: false, running: 0, pending: 1 },
    { name: 'gpu', paused: true, running: 0, pending: 2 },
    { name: 'net', paused: false, running: 0, pending: 1 },
  ]);
  await bench.must(['QUEUE', 'lane', 'gpu', 'paused=false']);
  expect(await bench.must(['QUEUE', 'execute', 'SELECT * FROM lanes'])).toBe('--- []\n');
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect((await bench.counts())['finished']).toBe(4);
});

test('a change of a limit takes effect at once, and ends no job', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'lane', 'gpu', 'limit=1']);
  const command = recorded('until [ -e go-$RQ_JID ]; do read -t 0.05 <> <(:); done');
  await bench.must(['QUEUE', 'submit', '-q', '--lane=gpu', '-'], { input: `${command}\n`.repeat(6) });
  const hosts = new Hosts(bench, [...FAST, '--max_feed=6']);
  await hosts.start('a');
  const running = async (): Promise<number> => (await bench.counts())['running'] ?? 0;
  await waitFor(async () => (await running()) === 1);
  await bench.must(['QUEUE', 'lane', 'gpu', 'limit=4']);
  await waitFor(async () => (await running()) === 4);
  expect(await lanes(bench, 'gpu', 'limit=2')).toEqual([
    { name: 'gpu', limit: 2, paused: false, running: 4, pending: 2 },
  ]);
  expect(JSON.parse(await bench.must(['QUEUE', 'status', '--json']))).toMatchObject({
    lanes: [{ name: 'gpu', limit: 2, paused: false, running: 4 }],
  });
  for (const jid of [1, 2]) writeFileSync(join(bench.directory, `go-${jid}`), '');
  await finished(bench, 2);
  expect(await running()).toBe(2);
  writeFileSync(join(bench.directory, 'go-3'), '');
  await waitFor(() => recordsIn(bench).some(({ jid, kind }) => jid === 5 && kind === 'start'));
  expect(await running()).toBe(2);
  for (const jid of [4, 5, 6]) writeFileSync(join(bench.directory, `go-${jid}`), '');
  await finished(bench, 6);
  await hosts.shutDown();
  // The sixth job began after the fourth or the fifth had ended.
  expect(mostRunning(recordsIn(bench).filter(({ jid }) => jid >= 4))).toBe(2);
}, 90_000);

test('a job in two lanes needs a place in both', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'lane', 'disk', 'limit=3']);
  await bench.must(['QUEUE', 'lane', 'gpu', 'limit=1']);
  const command = recorded('read -t 0.3 <> <(:)');
  await bench.must(['QUEUE', 'submit', '-q', '--tag=both', '--lane=disk,gpu', '-'], {
    input: `${command}\n`.repeat(6),
  });
  await bench.must(['QUEUE', 'submit', '-q', '--tag=one', '--lane=disk', '-'], { input: `${command}\n`.repeat(6) });
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=8', ...FAST]);
  const records = recordsIn(bench);
  expect(records).toHaveLength(24);
  expect(mostRunning(records)).toBe(3);
  expect(mostRunning(records.filter(({ tag }) => tag === 'both'))).toBe(1);
});

/** Jobs of two owners: those of ann are older. The jobs of a lane are not claimed ahead of a free slot. */
async function submitForTwo(bench: Workbench, count: number, commands: string): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', '--lane=any', '-'], {
    input: `${recorded(commands)}\n`.repeat(2 * count),
  });
  await bench.must(['QUEUE', 'execute', `UPDATE jobs SET owner = iif(jid > ${count}, 'bob', 'ann')`]);
}

test('max_per_user limits each owner on all hosts together', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'configure', 'max_per_user=2']);
  await submitForTwo(bench, 15, 'read -t 0.2 <> <(:)');
  const hosts = new Hosts(bench, [...FAST, '--max_feed=4']);
  await hosts.start('a', 'b');
  await finished(bench, 30);
  const records = recordsIn(bench);
  for (const owner of ['ann', 'bob']) expect(mostRunning(records.filter((each) => each.owner === owner))).toBe(2);
  expect(mostRunning(records)).toBeGreaterThan(2);

  await bench.must(['QUEUE', 'configure', 'max_per_user=null']);
  await submitForTwo(bench, 8, 'read -t 1 <> <(:)');
  await finished(bench, 46);
  await hosts.shutDown();
  expect(mostRunning(recordsIn(bench).slice(60))).toBeGreaterThan(4);
}, 120_000);

/** The owners of the jobs in the order in which they started. */
function startsOf(bench: Workbench): string[] {
  return recordsIn(bench).flatMap(({ kind, owner }) => (kind === 'start' ? [owner] : []));
}

test('in a fair queue, the owner with the fewest running cpus goes first, but not before a higher priority', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'configure', 'fair=true']);
  await submitForTwo(bench, 12, 'read -t 0.3 <> <(:)');
  await bench.must(['QUEUE', 'update', '-q', '11', '12', 'priority=1']);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=2', ...FAST]);
  const starts = recordsIn(bench).filter(({ kind }) => kind === 'start');
  expect(starts).toHaveLength(24);
  expect(new Set(starts.slice(0, 2).map(({ jid }) => jid))).toEqual(new Set([11, 12]));
  // While jobs of both owners wait, one of each runs.
  const others = recordsIn(bench).filter(({ jid }) => jid !== 11 && jid !== 12);
  const last = others.findLastIndex(({ owner, kind }) => owner === 'ann' && kind === 'start');
  for (const owner of ['ann', 'bob']) {
    expect(mostRunning(others.slice(0, last).filter((each) => each.owner === owner))).toBe(1);
  }
});

test('in a queue that is not fair, the older jobs go first', async () => {
  const bench = await newQueue();
  await submitForTwo(bench, 12, 'read -t 0.2 <> <(:)');
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=2', ...FAST]);
  expect(startsOf(bench).slice(0, 10)).toEqual(Array(10).fill('ann'));
});

test('lane without a change prints one lane, and warns of one that nothing is in', async () => {
  const bench = await newQueue();
  expect(await bench.must(['QUEUE', 'lane'])).toBe('--- []\n');
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'lane', 'gpuu', '--full']);
  expect([status, stdout]).toEqual([
    0,
    '---\n-\n  name: gpuu\n  limit: null\n  paused: false\n  running: 0\n  pending: 0\n',
  ]);
  expect(stderr).toBe('rq: lane: no pending or running job is in gpuu, and it has no limit\n');
  await bench.must(['QUEUE', 'lane', 'gpu', 'limit=4', 'paused=true']);
  await bench.must(['QUEUE', 'lane', 'gpu', 'limit=5']);
  expect(await bench.must(['QUEUE', 'lane', '--plain', '-f', 'name,limit,paused'])).toBe('gpu\t5\ttrue\n');
  expect(await bench.must(['QUEUE', 'lane', '--plain'])).toBe('gpu\n');
  expect(await bench.must(['QUEUE', 'lane', '--table'])).toMatch(
    /^NAME +LIMIT +PAUSED +RUNNING +PENDING\ngpu +5 +true/i,
  );
});

test('pending counts the jobs of a lane that cannot start yet, too', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--lane=x,y', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--lane=x', '--at=+1h', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--lane=x', '--stage', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await bench.must(['QUEUE', 'update', '-q', '4', 'lanes=y']);
  expect(await bench.must(['QUEUE', 'lane', '--plain', '-f', 'name,pending'])).toBe('x\t2\ny\t2\n');
});

test.each([
  [['limit=4'], /give its name before limit=4, as in lane gpu limit=4/],
  [['a b', 'limit=4'], /the name of a lane must consist of .*, not "a b"/],
  [['-', 'limit=4'], /the name of a lane must/],
  [['gpu', 'limit=0'], /limit must be a whole number from 1 to 1000000, or null, not "0"; paused=true/],
  [['gpu', 'limit=1.5'], /limit must be a whole number/],
  [['gpu', 'limit=9999999'], /limit must be a whole number/],
  [['gpu', 'paused=yes'], /paused must be true or false, not "yes"/],
  [['gpu', 'limit=2', 'limit=3'], /limit is specified twice/],
  [['gpu', 'limt=2'], /cannot change "limt" of a lane; did you mean limit\?/],
  [['gpu', 'limit'], /give a value, as in limit=4/],
  [['gpu', 'limit=4', 'disk'], /cannot change "disk" of a lane/],
])('lane %j is refused and changes nothing', async (words, message) => {
  const bench = await newQueue();
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'lane', ...words]);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^rq: .*\n$/);
  expect(await bench.must(['QUEUE', 'lane'])).toBe('--- []\n');
  expect(existsSync(join(bench.directory, 'records'))).toBe(false);
});

test('a job in a lane with an invalid name is refused', async () => {
  const bench = await newQueue();
  const { status, stderr } = await bench.run(['QUEUE', 'submit', '--lane', 'ok,not/ok', 'true']);
  expect([status, stderr]).toEqual([2, expect.stringMatching(/lanes must be names of lanes.*"not\/ok"/)]);
  expect(await bench.jobs()).toEqual([]);
});
