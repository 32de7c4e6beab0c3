import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FAST = ['--min_sleep=0.1', '--max_sleep=0.3'];

async function runningJob(command: string): Promise<{ bench: Workbench; pid: number; feed: () => Feeder }> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', command]);
  const feed = (): Feeder => bench.start(['QUEUE', 'feed', ...FAST]);
  feeders.push(feed());
  let pid = 0;
  await waitFor(async () => {
    pid = Number((await bench.jobs())[0]?.['pid']);
    return pid > 0;
  });
  return { bench, pid, feed };
}

type Feeder = ReturnType<Workbench['start']>;
const feeders: Feeder[] = [];

/** The state of a process as in proc(5): T is stopped. */
function stateOf(pid: number): string | undefined {
  return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
}

test('a paused job is stopped until it is resumed, also across a restart of the feeder', async () => {
  const { bench, pid, feed } = await runningJob('while :; do echo x; sleep 0.02; [ -e go ] && exit 4; done');
  await bench.must(['QUEUE', 'pause', '-q', '1'], { environment: { RQ_HOST: 'desk' } });
  await waitFor(() => stateOf(pid) === 'T');
  expect(await bench.jobs('running')).toMatchObject([{ paused: true }]);
  feeders.at(-1)?.child.kill('SIGKILL');
  await feeders.at(-1)?.ended;
  const next = feed();
  let log = '';
  next.child.stderr?.on('data', (text: string) => {
    log += text;
  });
  await waitFor(() => log.includes('adopted a running job'));
  // The slots are free, so that the feeder has read the wishes when it has claimed another job.
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await waitFor(async () => (await bench.jobs('2', 'state=finished')).length === 1);
  expect(stateOf(pid)).toBe('T');
  await bench.must(['QUEUE', 'resume', '-q', 'running']);
  await waitFor(() => stateOf(pid) !== 'T');
  await bench.shell('touch go');
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  expect(await bench.jobs('1')).toMatchObject([{ exit_status: 4, attempt: 1 }]);
  await bench.must(['QUEUE', 'shutdown']);
  // The next feeder does not resume a job that it only adopts.
  expect((await next.ended).stderr.match(/pausing a job|resuming a job/g)).toEqual(['resuming a job']);
});

test('a paused job can be killed', async () => {
  const { bench, pid } = await runningJob('exec sleep 600');
  await bench.must(['QUEUE', 'pause', '-q', '1']);
  await waitFor(() => stateOf(pid) === 'T');
  await bench.must(['QUEUE', 'kill', '-q', '1']);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', signal: 'SIGTERM' }]);
  await bench.must(['QUEUE', 'shutdown']);
});

test('a signal reaches the processes of a job once, also if the feeder is killed at that moment', async () => {
  const trap = 'trap "echo usr1" USR1; while [ ! -e go ]; do sleep 0.02; done';
  const { bench, feed } = await runningJob(trap);
  await bench.must(['QUEUE', 'signal', '-q', 'usr1', '1'], { environment: { RQ_HOST: 'desk' } });
  await waitFor(() => bench.stdout(1) === 'usr1\n');
  feeders.at(-1)?.child.kill('SIGKILL');
  await feeders.at(-1)?.ended;
  const next = feed();
  await bench.must(['QUEUE', 'signal', '-q', 'SIGUSR1', '1']);
  await waitFor(() => bench.stdout(1) === 'usr1\nusr1\n');
  await bench.shell('touch go');
  await waitFor(async () => (await bench.jobs('finished')).length === 1);
  expect(bench.stdout(1)).toBe('usr1\nusr1\n');
  // The delivered orders are gone.
  await waitFor(async () =>
    (await bench.must(['QUEUE', 'execute', 'SELECT count(*) AS orders FROM orders'])).includes('orders: 0'),
  );
  await bench.must(['QUEUE', 'shutdown']);
  await next.ended;
});

test.each([
  [['signal'], 2, /no signal specified/],
  [['signal', 'USR9', '1'], 2, /"USR9" is not the name of a signal/],
  [['signal', 'CONT', '1'], 2, /use "pause" and "resume"/],
  [['signal', 'USR1', '1'], 1, /job 1 is pending/],
  [['pause', '1'], 1, /job 1 is pending/],
  [['resume', '1'], 1, /job 1 is pending/],
  [['hold', '2'], 1, /job 2 is finished/],
])('%j of a job in another state is an error and changes nothing', async (words, status, message) => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  await bench.must(['QUEUE', 'release', '-q', '1']);
  const before = await bench.jobs();
  const ended = await bench.run(['QUEUE', ...words]);
  expect(ended).toMatchObject({ status, stderr: expect.stringMatching(message) as string });
  expect(await bench.jobs()).toEqual(before);
});

test('hold keeps jobs from starting, and release lets them start', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'true\ntrue\n' });
  await bench.must(['QUEUE', 'hold', '-q', '1']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs()).toMatchObject([{ state: 'holding' }, { state: 'finished' }]);
  await bench.must(['QUEUE', 'release', '-q', 'holding']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(readFileSync(join(bench.queue, 'stdout/1'), 'utf8')).toBe('');
  expect(await bench.jobs()).toMatchObject([{ state: 'finished' }, { state: 'finished' }]);
});

test('a job that was never paused is printed without the field', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  expect(await bench.must(['QUEUE', 'submit', 'true'])).not.toContain('paused');
});
