import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const JOBS = 30;

test('a queue that is moved under load is fed at its new path, and every job runs once', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const command = `echo ran >>${bench.directory}/ran.$RQ_JID; sleep 0.2; exit 7\n`;
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: command.repeat(JOBS) });
  const feed = ['feed', '--max_feed=4'];
  const first = bench.start(['QUEUE', ...feed]);
  await waitFor(() => existsSync(join(bench.directory, 'ran.3')));
  const moved = `${bench.queue}2`;
  renameSync(bench.queue, moved);
  // The first feeder may not have noticed yet.
  const second = bench.start([moved, ...feed]);
  expect(await first.ended).toMatchObject({
    status: 3,
    stderr: expect.stringContaining(`was moved to ${moved}`) as string,
  });
  bench.queue = moved;
  await waitFor(async () => (await bench.jobs('finished')).length === JOBS);
  await bench.must(['QUEUE', 'shutdown']);
  expect((await second.ended).status).toBe(0);
  for (const { jid, attempt, exit_status } of await bench.jobs()) {
    expect({ attempt, exit_status }).toEqual({ attempt: 1, exit_status: 7 });
    expect(readFileSync(join(bench.directory, `ran.${String(jid)}`), 'utf8')).toBe('ran\n');
  }
});

test('commands at the new path find the feeder that adopted the jobs, and a new queue at the old path has none', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const former = bench.queue;
  const first = bench.start(['QUEUE', 'feed', '--max_sleep=0.2']);
  await waitFor(async () => (await bench.run(['QUEUE', 'pid'])).status === 0);
  const moved = `${former}2`;
  renameSync(former, moved);
  await first.ended;
  const second = bench.start([moved, 'feed']);
  await waitFor(async () => (await bench.run([moved, 'pid'])).status === 0);
  await bench.must([former, 'create']);
  expect((await bench.run([former, 'pid'])).status).toBe(1);
  await bench.must([moved, 'shutdown']);
  await second.ended;
});

test('a feeder whose queue was removed says so and ends, and its jobs end', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const mark = join(bench.directory, 'mark');
  const gate = join(bench.directory, 'gate');
  await bench.must(['QUEUE', 'submit', '-q', `until [ -e ${gate} ]; do sleep 0.05; done; touch ${mark}`]);
  const feeder = bench.start(['QUEUE', 'feed', '--max_sleep=0.2']);
  await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 1);
  rmSync(bench.queue, { recursive: true });
  expect(await feeder.ended).toMatchObject({ status: 3, stderr: expect.stringContaining('was removed') as string });
  writeFileSync(gate, '');
  await waitFor(() => existsSync(mark));
  // The runner ends when it had no feeder and no job for 30 s.
  await waitFor(() => bench.processes().length === 0, 60_000);
});
