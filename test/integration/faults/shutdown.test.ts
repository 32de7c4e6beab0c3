import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorCode } from '../../../src/job/errors.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const REASON = 'the host was shut down';

/** Sends a signal to all processes of the bench, as systemd does when a host shuts down or a session ends. */
function signalAll(bench: Workbench, signal: NodeJS.Signals): void {
  for (const pid of bench.processes()) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // A short process of a job has ended.
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  }
}

async function started(bench: Workbench, ...names: string[]): Promise<void> {
  await waitFor(() => names.every((name) => existsSync(join(bench.directory, name))));
}

test('at the shutdown of a host, restartable jobs are requeued, others are dead, and results are kept', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const until = 'until [ -e gate ]; do sleep 0.05; done';
  const catching = `trap "touch caught" TERM; touch s3; ${until}; exit 5`;
  await bench.must(['QUEUE', 'submit', '-q', `touch s1; ${until}`]);
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', `echo $RQ_ATTEMPT >>s2; ${until}`]);
  await bench.must(['QUEUE', 'submit', '-q', catching]);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=4']);
  await started(bench, 's1', 's2', 's3');
  signalAll(bench, 'SIGTERM');
  await started(bench, 'caught');
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  expect(await bench.jobs()).toMatchObject([
    { state: 'dead', reason: REASON },
    { state: 'pending', attempt: 1 },
    { state: 'running' },
  ]);
  writeFileSync(join(bench.directory, 'gate'), '');
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.jobs('3')).toMatchObject([{ state: 'finished', exit_status: 5 }]);
  // Nothing is left that would delay the shutdown.
  await waitFor(() => bench.processes().length === 0, 10_000);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs('2')).toMatchObject([{ state: 'finished', exit_status: 0, attempt: 2 }]);
  expect(readFileSync(join(bench.directory, 's2'), 'utf8')).toBe('1\n2\n');
});

test('at the end of a session without a feeder, the next feeder finds what became of the jobs', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', 'touch s1; sleep 600']);
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', 'touch s2; [ $RQ_ATTEMPT = 2 ] || sleep 600']);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=4']);
  await started(bench, 's1', 's2');
  feeder.child.kill('SIGKILL');
  await feeder.ended;
  signalAll(bench, 'SIGHUP');
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs()).toMatchObject([
    { state: 'dead', reason: REASON },
    { state: 'finished', exit_status: 0, attempt: 2 },
  ]);
});
