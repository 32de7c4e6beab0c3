import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

async function benchWithQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

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

test('--warn lets a job save its state before the time limit', async () => {
  const bench = await benchWithQueue();
  const command = "trap 'echo saved; exit 3' USR2; while :; do sleep 0.1; done";
  await bench.must(['QUEUE', 'submit', '--time-limit', '1h', '--warn', 'USR2@3599s', command]);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  expect(await bench.jobs('1')).toMatchObject([{ state: 'finished', exit_status: 3 }]);
  expect(bench.stdout(1)).toBe('saved\n');
});

test('a job that exceeds its memory limit is finished with the reason, and its neighbours continue', async () => {
  const bench = await benchWithQueue();
  const take = "python3 -c 'import time; x = bytearray(1000000000); time.sleep(60)'";
  await bench.must(['QUEUE', 'submit', '--memory', '200M', `trap : TERM; ${take}; exit 0`]);
  await bench.must(['QUEUE', 'submit', '--memory', '200M', "python3 -c 'bytearray(1000000000)'; exit 0"]);
  await bench.must(['QUEUE', 'submit', '--memory', '200M', 'for n in {1..60}; do sleep 0.1; done']);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=3', '-v1']);
  const jobs = await bench.jobs();
  expect(jobs).toMatchObject([
    { state: 'finished', exit_status: 0 },
    // On a busy machine, a sample may find it before it ends.
    { state: 'finished' },
    { state: 'finished', exit_status: 0 },
  ]);
  for (const job of jobs.slice(0, 2)) {
    expect(job['reason']).toMatch(/^memory limit of 200M: used \d+(\.\d)?[MG]$/);
    expect(job['max_rss']).toBeGreaterThan(200 * 1024 ** 2);
  }
  expect(jobs[2]).not.toHaveProperty('reason');
  expect((await bench.jobs('failed')).map(({ jid }) => jid)).toEqual([1, 2]);
});

test('a job that ignores the end of its time limit is killed after the grace period of the queue', async () => {
  const bench = await benchWithQueue();
  await bench.must(['QUEUE', 'configure', 'kill_grace=1']);
  await bench.must(['QUEUE', 'submit', '--time-limit', '1s', "trap '' TERM; while :; do sleep 0.1; done"]);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', signal: 'SIGKILL', reason: 'time limit of 1s' }]);
});
