import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FAST = ['--min_sleep=0.1', '--max_sleep=0.3'];
const REASON = /^killed by \S+ on \S+/;

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** The pids of the processes whose command line begins with the text. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').startsWith(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function started(bench: Workbench, jid: number): Promise<void> {
  await waitFor(async () => Number((await bench.jobs(String(jid)))[0]?.['pid']) > 0);
}

test('a kill from a host that does not feed ends every process, and frees the slot last', async () => {
  const bench = await newQueue();
  const mark = `9${process.pid}`;
  const others = `setsid sleep ${mark}1 & env -i setsid sleep ${mark}2 & (trap "" TERM; sleep ${mark}3) &`;
  await bench.must(['QUEUE', 'submit', '-q', `${others} sleep ${mark}4`]);
  await bench.must(['QUEUE', 'submit', '-q', `ps -eo args | grep -c '^sleep ${mark}'`]);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=1', ...FAST]);
  await waitFor(() => processesWith(`sleep ${mark}`).length === 4);
  const ended = await bench.must(['QUEUE', 'kill', '1', '--grace', '1s', '--reason', 'wrong input', '--json'], {
    environment: { RQ_HOST: 'desk' },
  });
  await feeder.ended;
  expect(processesWith(`sleep ${mark}`)).toEqual([]);
  expect(bench.stdout(2)).toBe('0\n');
  const [killed, next] = await bench.jobs();
  expect(killed).toMatchObject({ state: 'finished', reason: expect.stringMatching(/ on desk: wrong input$/) });
  expect(killed?.['signal']).toMatch(/^SIG(TERM|KILL)$/);
  expect(next).toMatchObject({ state: 'finished' });
  expect(ended).toContain('wrong input');
});

test('a waiting job that is killed is dead at once and never starts', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', 'touch ran']);
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'touch ran']);
  await bench.must(['QUEUE', 'kill', 'pending', 'holding']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const reason = expect.stringMatching(/^killed before it began, by \S+ on \S+$/) as string;
  expect(await bench.jobs()).toMatchObject([
    { state: 'dead', reason, attempt: 0 },
    { state: 'dead', reason },
  ]);
  expect(readdirSync(bench.directory)).not.toContain('ran');
  // A resubmit removes the kill.
  await bench.must(['QUEUE', 'resubmit', '-q', '1']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs('1')).toMatchObject([{ state: 'finished', exit_status: 0, attempt: 1 }]);
});

test('a job that was killed has failed, whatever its exit status, and is not started again', async () => {
  const bench = await newQueue();
  const trap = 'trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done';
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', '--retries=5', '--backoff=0s', trap]);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty', ...FAST]);
  await started(bench, 1);
  await waitFor(() => bench.stdout(1) === 'ready\n');
  await bench.must(['QUEUE', 'kill', '1']);
  await feeder.ended;
  const killed = { state: 'finished', exit_status: 0, attempt: 1, reason: expect.stringMatching(REASON) as string };
  expect(await bench.jobs('failed')).toMatchObject([killed]);
});

test('jobs that have ended do not change, and a job that does not exist is status 3', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', 'exit 3']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const before = await bench.jobs();
  const again = await bench.run(['QUEUE', 'kill', '1']);
  expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining('already ended') as string });
  expect(await bench.run(['QUEUE', 'kill', '77'])).toMatchObject({ status: 3 });
  expect(await bench.jobs()).toEqual(before);
});

test.each([
  [['--grace', '-1s', '1']],
  [['--grace', '10 minutes', '1']],
  [['--grace', '2d', '1']],
  [['--reason', 'two\nlines', '1']],
  [[]],
])('kill with %j is wrong usage and changes nothing', async (words) => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  const { status, stderr } = await bench.run(['QUEUE', 'kill', ...words]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^rq: .*\n$/);
  expect(await bench.jobs()).toMatchObject([{ state: 'pending' }]);
});

test('a kill waits in the queue while no feeder is alive, and the next feeder carries it out', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', 'exec sleep 600']);
  const feeder = bench.start(['QUEUE', 'feed', ...FAST]);
  await started(bench, 1);
  feeder.child.kill('SIGKILL');
  await feeder.ended;
  await bench.shell('rm q/nodes/*');
  const { status, stderr } = await bench.run(['QUEUE', 'kill', '-q', '--no-wait', '1']);
  expect([status, stderr]).toEqual([0, expect.stringMatching(/^rq: kill: 1 job is on \S+, but no feeder runs there;/)]);
  expect(await bench.jobs()).toMatchObject([{ state: 'running' }]);
  await bench.must(['QUEUE', 'feed', '--until-empty', ...FAST]);
  expect(await bench.jobs()).toMatchObject([
    { state: 'finished', signal: 'SIGTERM', attempt: 1, reason: expect.stringMatching(REASON) as string },
  ]);
});

test('a kill with a shorter grace period replaces an earlier one', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', 'trap "" TERM; echo ready; while :; do sleep 0.05; done']);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty', ...FAST]);
  await waitFor(() => readdirSync(join(bench.queue, 'stdout')).includes('1') && bench.stdout(1) === 'ready\n');
  await bench.must(['QUEUE', 'kill', '-q', '--no-wait', '--grace=10m', '1']);
  await bench.must(['QUEUE', 'kill', '-q', '--grace=0s', '1']);
  await feeder.ended;
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', signal: 'SIGKILL' }]);
});

test('jobs that are claimed ahead of a slot are dead, and did not begin', async () => {
  const bench = await newQueue();
  const lines = Array.from({ length: 200 }, () => 'echo x >>ran; sleep 0.02');
  writeFileSync(join(bench.directory, 'list'), lines.join('\n'));
  await bench.must(['QUEUE', 'submit', '-q', '-i', 'list']);
  const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=2', ...FAST]);
  await waitFor(async () => Number((await bench.counts())['finished']) > 20);
  await bench.must(['QUEUE', 'kill', '-q', 'all']);
  await feeder.ended;
  const jobs = await bench.jobs();
  const began = jobs.filter(({ attempt }) => attempt === 1);
  const ran = readFileSync(join(bench.directory, 'ran'), 'utf8').split('\n').length - 1;
  expect(jobs.every(({ state }) => state === 'finished' || state === 'dead')).toBe(true);
  expect(jobs.filter(({ state }) => state === 'dead').length).toBeGreaterThan(20);
  // A job that was killed before its first command has begun without leaving a line.
  expect(began.length - ran).toBeLessThanOrEqual(2);
  expect(began.every(({ state }) => state === 'finished')).toBe(true);
});

test.each([['running'], ['tag=old'], ['1-2']])(
  'delete --kill %s ends the running jobs and deletes them',
  async (selection) => {
    const bench = await newQueue();
    await bench.must(['QUEUE', 'submit', '-q', '--tag=old', '-'], { input: 'exec sleep 600\nexec sleep 600\n' });
    const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2', ...FAST]);
    await started(bench, 1);
    await started(bench, 2);
    await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
    await bench.must(['QUEUE', 'delete', '-q', '--kill', selection]);
    expect((await bench.jobs()).map(({ jid }) => jid)).toEqual([3]);
    await bench.must(['QUEUE', 'shutdown']);
    await feeder.ended;
  },
);
