import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

async function benchWithQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** Expects a failure with status 2 and one line on stderr. */
async function expectRefused(bench: Workbench, words: readonly string[], message: string, input = ''): Promise<void> {
  const { status, stdout, stderr } = await bench.run(['QUEUE', ...words], { input });
  expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
  expect(stderr).toContain(message);
}

test('limits are printed as numbers, after the hosts of a job, and a printed job can be submitted again', async () => {
  const bench = await benchWithQueue();
  const options = ['--time-limit=1h30m', '--warn=usr2@60s', '--memory=4G', '--runner=n*', '--cwd=/tmp'];
  const printed = await bench.must(['QUEUE', 'submit', ...options, 'true']);
  const lines = ['runners: n*', 'memory: 4294967296', 'time_limit: 5400', 'warn: usr2@60s', 'cwd: /tmp'];
  expect(printed).toContain(lines.map((line) => `  ${line}\n`).join(''));
  await bench.must(['QUEUE', 'submit', '-'], { input: printed });
  const [first, second] = await bench.jobs();
  const { jid, submitted } = second ?? {};
  expect(second).toEqual({ ...first, jid, submitted });
});

test('a list of jobs may have numbers or text as limits', async () => {
  const bench = await benchWithQueue();
  const list = [
    '- command: "1"\n  time_limit: 90\n  memory: 33554432\n',
    '- command: "2"\n  time_limit: "90"\n  memory: "33554432"\n',
    '- command: "3"\n  time_limit: 1m30s\n  memory: 32M\n  warn: TERM@10\n',
  ];
  await bench.must(['QUEUE', 'submit', '-'], { input: list.join('') });
  expect(await bench.jobs()).toMatchObject([1, 2, 3].map(() => ({ time_limit: 90, memory: 33_554_432 })));
  const json = JSON.stringify([{ command: 'true', time_limit: '2h' }]);
  await bench.must(['QUEUE', 'submit', '-'], { input: json });
  expect((await bench.jobs('time_limit=2h')).map(({ jid }) => jid)).toEqual([4]);
  expect((await bench.jobs('memory=32M')).map(({ jid }) => jid)).toEqual([1, 2, 3]);
  await expectRefused(bench, ['list', 'memory=much'], 'the value must be a size, or null');
});

test('update and resubmit change limits, and update clears them', async () => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'submit', '--time-limit=2h', '--warn=USR2@1m', '--memory=1G', 'true']);
  await bench.must(['QUEUE', 'update', '1', 'time_limit=30m', 'memory=512M']);
  expect(await bench.jobs('1')).toMatchObject([{ time_limit: 1800, warn: 'USR2@1m', memory: 536_870_912 }]);
  await bench.must(['QUEUE', 'update', '1', 'time_limit=null', 'warn=null', 'memory=null']);
  expect(Object.keys((await bench.jobs('1'))[0] ?? {})).not.toContain('time_limit');
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  await bench.must(['QUEUE', 'resubmit', '1', '--time-limit', '5m', '--warn', 'USR1@10s']);
  expect(await bench.jobs('1')).toMatchObject([{ state: 'pending', time_limit: 300, warn: 'USR1@10s' }]);
});

test('a job gets its warning before the time limit, and may end', async () => {
  const bench = await benchWithQueue();
  const command = "trap 'echo saved; exit 3' USR2; while :; do sleep 0.1; done";
  await bench.must(['QUEUE', 'submit', '--time-limit', '1h', '--warn', 'USR2@3599s', command]);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  expect(await bench.jobs('1')).toMatchObject([{ state: 'finished', exit_status: 3 }]);
  expect(bench.stdout(1)).toBe('saved\n');
});

test.each([
  [['--time-limit=soon'], 'time_limit must be a duration, such as 90 (seconds), 5m, 2h or 1h30m, from 1s to 366d, not'],
  [['--time-limit=0'], 'from 1s to 366d, not 0'],
  [['--time-limit=367d'], 'from 1s to 366d, not 367d'],
  [['--time-limit=99999999999999999999d'], 'from 1s to 366d'],
  [['--time-limit=-5'], 'from 1s to 366d, not "-5"'],
  [['--time-limit=1.5h'], 'not "1.5h"'],
  [['--time-limit='], 'the value of the option --time-limit is empty'],
  [['--memory=15M'], 'memory must be a size, such as 512M or 4G, from 16M to 1024T, not 15M'],
  [['--memory=2000T'], 'from 16M to 1024T'],
  [['--memory=4GB'], 'from 16M to 1024T, not "4GB"'],
  [['--time-limit=1h', '--warn=KILL@60s'], 'warn must be a signal that a job can catch and a duration, such as'],
  [['--time-limit=1h', '--warn=USR2'], 'such as USR2@60s, not "USR2"'],
  [['--warn=USR2@60s'], 'cannot submit: warn=USR2@60s requires a time limit; give one, or no warning'],
  [['--time-limit=60', '--warn=USR2@1m'], 'warn=USR2@1m must be less than the time limit of 1m before its end'],
])('submit %j is refused', async (options, message) => {
  const bench = await benchWithQueue();
  await expectRefused(bench, ['submit', ...options, 'true'], message);
  expect(await bench.jobs()).toEqual([]);
});

test('limits that do not fit together are refused by update, resubmit and lists, and nothing is changed', async () => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'submit', '--time-limit=2h', 'true']);
  await bench.must(['QUEUE', 'submit', '--time-limit=2h', '--warn=USR2@1m', 'true']);
  const before = await bench.jobs();
  const fault = 'cannot change job 2: warn=USR2@1m must be less than the time limit of 1m before its end; nothing was';
  await expectRefused(bench, ['update', 'pending', 'time_limit=60'], fault);
  await expectRefused(
    bench,
    ['update', '2', 'time_limit=null'],
    'cannot change job 2: warn=USR2@1m requires a time limit',
  );
  await expectRefused(bench, ['update', '1', 'warn=USR2@3h'], 'cannot change job 1: warn=USR2@3h must be less than');
  await expectRefused(bench, ['update', '1', 'time_limit=often'], 'cannot update: time_limit must be a duration');
  const list = '- command: "true"\n  time_limit: 1h\n- command: "true"\n  warn: USR2@1m\n';
  await expectRefused(bench, ['submit', '-'], 'the job at line 3 of stdin: warn=USR2@1m requires a time limit', list);
  await expectRefused(bench, ['submit', '--time-limit=30', '-'], 'must be less than the time limit of 30s', list);
  await expectRefused(bench, ['submit', '-'], 'memory must be a size', '- command: "true"\n  memory: [1]\n');
  expect(await bench.jobs()).toEqual(before);
});

test('a job that exceeds its time limit is finished with the reason, and failed', async () => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'submit', '--time-limit', '1s', 'sleep 60']);
  await bench.must(['QUEUE', 'submit', '--time-limit', '1s', "trap 'exit 0' TERM; while :; do sleep 0.1; done"]);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  const reason = 'time limit of 1s';
  const jobs = await bench.jobs();
  expect(jobs).toMatchObject([
    { jid: 1, state: 'finished', signal: 'SIGTERM', reason },
    { jid: 2, state: 'finished', exit_status: 0, reason },
  ]);
  for (const { elapsed } of jobs) {
    expect(elapsed).toBeGreaterThanOrEqual(1);
    expect(elapsed).toBeLessThan(3);
  }
  expect((await bench.jobs('failed')).map(({ jid }) => jid)).toEqual([1, 2]);
});

test('a job that exceeds its memory limit is finished with the reason, and its neighbours continue', async () => {
  const bench = await benchWithQueue();
  const take = "python3 -c 'import time; x = bytearray(1000000000); time.sleep(60)'";
  await bench.must(['QUEUE', 'submit', '--memory', '200M', `trap : TERM; ${take}; exit 0`]);
  await bench.must(['QUEUE', 'submit', '--memory', '200M', "python3 -c 'bytearray(1000000000)'; exit 0"]);
  await bench.must(['QUEUE', 'submit', '--memory', '200M', 'for n in {1..60}; do sleep 0.1; done']);
  await bench.must(['QUEUE', 'submit', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=3', '-v1']);
  const jobs = await bench.jobs();
  expect(jobs).toMatchObject([
    { state: 'finished', exit_status: 0 },
    // On a busy machine, a sample may find it before it ends.
    { state: 'finished' },
    { state: 'finished', exit_status: 0 },
    { state: 'finished', exit_status: 0 },
  ]);
  expect(jobs[3]?.['max_rss']).toBeLessThan(5 * 1024 ** 2);
  for (const job of jobs.slice(0, 2)) {
    expect(job['reason']).toMatch(/^memory limit of 200M: used \d+(\.\d)?[MG]$/);
    expect(job['max_rss']).toBeGreaterThan(200 * 1024 ** 2);
  }
  expect(jobs[2]).not.toHaveProperty('reason');
  expect((await bench.jobs('failed')).map(({ jid }) => jid)).toEqual([1, 2]);
});

test('a time limit is enforced within two seconds although the feeder and the runner are killed before it', async () => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--time-limit=6s', 'sleep 60']);
  const first = bench.start(['QUEUE', 'feed']);
  await waitFor(async () => (await bench.jobs('1'))[0]?.['pid']);
  const [directory = ''] = readdirSync(join(bench.directory, 'run'));
  const runner = Number(readFileSync(join(bench.directory, 'run', directory, 'runner.pid'), 'utf8'));
  first.child.kill('SIGKILL');
  process.kill(runner, 'SIGKILL');
  await first.ended;
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  const [job] = await bench.jobs();
  expect(job).toMatchObject({ state: 'finished', attempt: 1, signal: 'SIGTERM', reason: 'time limit of 6s' });
  expect(job?.['elapsed']).toBeGreaterThanOrEqual(6);
  expect(job?.['elapsed']).toBeLessThan(8);
});

test('a job that ignores the end of its time limit is killed after the grace period of the queue', async () => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'configure', 'kill_grace=1']);
  await bench.must(['QUEUE', 'submit', '--time-limit', '1s', "trap '' TERM; while :; do sleep 0.1; done"]);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', signal: 'SIGKILL', reason: 'time limit of 1s' }]);
});
