import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { Hosts } from '../../support/hosts.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FAST = ['--min_sleep=0.1', '--max_sleep=0.3'];
const TOKYO = { environment: { TZ: 'Asia/Tokyo' } };
const HOUR_MS = 3_600_000;

let bench: Workbench;

beforeEach(async () => {
  bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
});

async function due(...selection: string[]): Promise<unknown[]> {
  return (await bench.jobs(...selection)).map((job) => job['due']);
}

/** How many hours from now a time is, rounded. */
function hoursFromNow(time: unknown): number {
  return Math.round((Date.parse(String(time)) - Date.now()) / HOUR_MS);
}

test('a job starts when it is due and not before, and a feeder that ends with the queue waits for it', async () => {
  const [printed] = JSON.parse(await bench.must(['QUEUE', 'submit', '--json', '--at', '+3s', 'true'])) as [
    { due: string },
  ];
  expect(printed.due).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  const [late, other] = await bench.jobs();
  expect([late?.['state'], other?.['state']]).toEqual(['finished', 'finished']);
  expect(Date.parse(String(late?.['started']))).toBeGreaterThanOrEqual(Date.parse(printed.due));
  expect(late).not.toHaveProperty('due');
});

test('a running feeder starts a job when it is due, without a further change of the queue', async () => {
  const hosts = new Hosts(bench, ['--min_sleep=60', '--max_sleep=90']);
  await hosts.start('a');
  await bench.must(['QUEUE', 'submit', '-q', '--at=+4s', '--tag=late', 'true'], { environment: { RQ_HOST: 'a' } });
  await waitFor(async () => (await bench.jobs('tag=late'))[0]?.['state'] === 'finished');
  await hosts.shutDown();
});

test('a job whose time has passed starts at once, before younger ones of its priority', async () => {
  await bench.must(['QUEUE', 'submit', '-q', '--at', '1999-01-01', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=1', ...FAST]);
  const [first, second] = await bench.jobs();
  expect(first).toMatchObject({ state: 'finished', exit_status: 0 });
  expect(String(first?.['started']) < String(second?.['started'])).toBe(true);
});

test('a time without a zone is the local time of the caller, and rq prints it in UTC', async () => {
  for (const time of ['2030-01-02 03:04', '2030-01-02T03:04:05', '2030-01-02', '2030-01-02 03:04 +01:00']) {
    await bench.must(['QUEUE', 'submit', '-q', '--at', time, 'true'], TOKYO);
  }
  expect(await due()).toEqual([
    '2030-01-01T18:04:00.000Z',
    '2030-01-01T18:04:05.000Z',
    '2030-01-01T15:00:00.000Z',
    '2030-01-02T02:04:00.000Z',
  ]);
  expect(await bench.must(['QUEUE', 'list', '--plain', 'due=2030-01-02 03:04:05'], TOKYO)).toBe('2\n');
  expect(await bench.must(['QUEUE', 'query', '--plain', "due > '2030-01-02 04:00'"], TOKYO)).toBe('4\n');
});

test('a list, a script, touch and update accept the same times', async () => {
  const list = '---\n- command: one\n  due: 2030-01-02 03:04\n- command: two\n  due: +5h\n- command: three\n';
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: list, ...TOKYO });
  const [one, two, three] = await due();
  expect([one, hoursFromNow(two), three]).toEqual(['2030-01-01T18:04:00.000Z', 5, undefined]);
  await bench.must(['QUEUE', 'submit', '-q', '--at=+7h', '-'], { input: list });
  expect((await due('4-6')).map(hoursFromNow)).toEqual([7, 7, 7]);

  writeFileSync(join(bench.directory, 'job.sh'), '#!/bin/bash\n#RQ --at +3h\ntrue\n');
  await bench.must(['QUEUE', 'submit', '-q', '--script', 'job.sh']);
  expect((await due('7')).map(hoursFromNow)).toEqual([3]);

  await bench.must(['QUEUE', 'touch', '-q', '--at=+9h', 'three']);
  expect(hoursFromNow((await due('3'))[0])).toBe(9);
  await bench.must(['QUEUE', 'update', '-q', '1', 'due=+2h']);
  await bench.must(['QUEUE', 'update', '-q', '2', 'due=2031-05-06 07:08'], TOKYO);
  await bench.must(['QUEUE', 'update', '-q', '3', 'due=null']);
  const [first, second, third] = await due('1-3');
  expect([hoursFromNow(first), second, third]).toEqual([2, '2031-05-05T22:08:00.000Z', undefined]);
  const copied = await bench.must(['QUEUE', 'list', '2']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: copied });
  expect(await due('8')).toEqual([second]);
});

test('a holding job that is released is still due later, and a kill ends a job that is not due', async () => {
  await bench.must(['QUEUE', 'submit', '-q', '--stage', '--at=+1h', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--at=+1h', 'true']);
  await bench.must(['QUEUE', 'release', '-q', '1']);
  expect((await due('1')).map(hoursFromNow)).toEqual([1]);
  await bench.must(['QUEUE', 'kill', '-q', '2']);
  expect(await bench.jobs('2')).toMatchObject([{ state: 'dead' }]);
  await bench.must(['QUEUE', 'update', '-q', '1', 'due=null']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect(await bench.jobs('1')).toMatchObject([{ state: 'finished' }]);
});

test('resubmit --at requeues an ended job for a time', async () => {
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  await bench.must(['QUEUE', 'resubmit', '-q', '1', '--at=+6h']);
  expect((await due('1')).map(hoursFromNow)).toEqual([6]);
  await bench.must(['QUEUE', 'update', '-q', '1', 'due=+0s']);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', attempt: 2 }]);
});

test.each([
  [
    ['submit', '--at', 'soon', 'true'],
    /cannot submit: due must be a time, such as '2026-12-01 22:00', or a delay, such as \+2h, not "soon"/,
  ],
  [['submit', '--at=-2h', 'true'], /not "-2h"/],
  [['submit', '--at=+9999d', 'true'], /must be a delay of at most 3660d/],
  [['submit', '--at', '2026-13-01', 'true'], /not "2026-13-01"/],
  [['submit', '--at', '', 'true'], /the value of the option --at is empty/],
  [['touch', '--at', '22', 'true'], /cannot touch: due must be a time/],
  [['update', '1', 'due=tomorrow'], /cannot update: due must be a time.*"tomorrow"/],
  [['update', '1', 'due='], /cannot update: due must be a time/],
  [['resubmit', '1', '--at', 'x'], /cannot resubmit: due must be a time/],
])('%j is refused and changes nothing', async (words, message) => {
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  const before = await bench.jobs();
  const { status, stdout, stderr } = await bench.run(['QUEUE', ...words]);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^rq: .*\n$/);
  expect(await bench.jobs()).toEqual(before);
});

test('a list with a wrong due time names its line and submits nothing', async () => {
  const input = '---\n- command: one\n- command: two\n  due: later\n';
  const { status, stderr } = await bench.run(['QUEUE', 'submit', '-'], { input });
  expect([status, stderr]).toEqual([
    2,
    expect.stringMatching(/cannot submit job 2 of stdin \(line 3\): due must be a time/),
  ]);
  expect(await bench.jobs()).toEqual([]);
});
