import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processStartTime } from '../../../src/job/process.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'configure', 'kill_grace=5']);
  return bench;
}

test('the processes that a job leaves behind are counted and shown, and its usage is recorded', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'sleep 600 & sleep 600 & echo $!; kill -9 $$\ntrue\n' });
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const [left, plain] = await bench.jobs();
  expect(left).toMatchObject({ state: 'finished', signal: 'SIGKILL', left_behind: 2 });
  expect(plain?.['left_behind']).toBeUndefined();
  for (const job of [left, plain]) {
    expect(Number(job?.['max_rss'])).toBeGreaterThan(500_000);
    expect(Number(job?.['cpu_time'])).toBeGreaterThan(0);
  }
  expect((await bench.jobs('left_behind=2')).map(({ jid }) => jid)).toEqual([1]);
  for (const pid of bench.processes()) process.kill(pid, 'SIGKILL');
});

/** A process that ignores SIGTERM, in the same session or in one of its own, records the times until it is killed. */
const STUBBORN = {
  'that ignores SIGTERM': '(trap "" TERM; while :; do date +%s.%N >>beats; sleep 0.05; done) & wait',
  'in another session that ignores SIGTERM':
    'setsid bash -c \'trap "" TERM; while :; do date +%s.%N >>beats; sleep 0.05; done\' & wait',
};

test.each(Object.entries(STUBBORN))(
  'stop answers, and the job runs elsewhere, only when a process %s is gone',
  async (_, command) => {
    const bench = await newQueue();
    const pids = join(bench.directory, 'pids');
    const record = `[ $RQ_ATTEMPT = 1 ] || { date +%s.%N >second; exit 5; }; echo $$ >${pids}; ${command}`;
    await bench.must(['QUEUE', 'submit', '-q', '--restartable', record]);
    const feeder = bench.start(['QUEUE', 'feed'], { environment: { RQ_HOST: 'a' } });
    const beats = (): string[] => readFileSync(join(bench.directory, 'beats'), 'utf8').trim().split('\n');
    await waitFor(() => bench.processes().length > 0 && beatsExist(bench) && beats().length > 3);
    const other = bench.start(['QUEUE', 'feed', '--max_sleep=0.2', '--min_sleep=0.1'], {
      environment: { RQ_HOST: 'b' },
    });
    await bench.must(['QUEUE', 'stop'], { environment: { RQ_HOST: 'a' } });
    const last = Number(beats().at(-1));
    expect(processStartTime(Number(readFileSync(pids, 'utf8')))).toBeUndefined();
    await feeder.ended;
    await waitFor(async () => (await bench.jobs('finished')).length === 1);
    expect(await bench.jobs()).toMatchObject([{ exit_status: 5, attempt: 2, runner: 'b' }]);
    expect(Number(readFileSync(join(bench.directory, 'second'), 'utf8'))).toBeGreaterThan(last);
    expect(Number(beats().at(-1))).toBe(last);
    await bench.must(['QUEUE', 'shutdown'], { environment: { RQ_HOST: 'b' } });
    await other.ended;
  },
);

function beatsExist(bench: Workbench): boolean {
  try {
    return readFileSync(join(bench.directory, 'beats')).length > 0;
  } catch {
    return false;
  }
}
