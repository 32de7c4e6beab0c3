import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Only root, in most containers, may do this. */
const CAN_RENAME = spawnSync('unshare', ['--uts', 'hostname', 'a']).status === 0;
/** Runs a command under another name of the machine. */
const as = (name: string) => ({ wrapper: ['unshare', '--uts', 'sh', '-c', `hostname ${name} && exec "$0" "$@"`] });

/** A queue with a running job, whose feeder on `a` was killed. */
async function withRunningJob(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'configure', 'lost_after=10']);
  await bench.must(['QUEUE', 'submit', '-q', `until [ -e ${bench.directory}/gate ]; do sleep 0.05; done; exit 7`]);
  const feeder = bench.start(['QUEUE', 'feed'], as('a'));
  await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 1);
  const { pid } = JSON.parse(await bench.must(['QUEUE', 'pid', '--json'], as('a'))) as { pid: number };
  process.kill(pid, 'SIGKILL');
  await feeder.ended;
  return bench;
}

test.skipIf(!CAN_RENAME)(
  'a feeder on a machine that was renamed refuses to start while its jobs run under the old name',
  async () => {
    const bench = await withRunningJob();
    const { status, stderr } = await bench.run(['QUEUE', 'feed'], as('b'));
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        /^rq: cannot feed from \S+ as b: this machine fed as a, .*; set RQ_HOST=a\n$/,
      ) as string,
    });
    expect(await bench.run(['QUEUE', 'doctor'], as('b'))).toMatchObject({
      stdout: expect.stringContaining('this machine feeds as a, but its name is b now') as string,
    });
    const next = bench.start(['QUEUE', 'feed', '--until-empty'], { ...as('b'), environment: { RQ_HOST: 'a' } });
    writeFileSync(join(bench.directory, 'gate'), '');
    await next.ended;
    expect(await bench.jobs()).toMatchObject([{ state: 'finished', exit_status: 7, attempt: 1, runner: 'a' }]);
  },
);

test.skipIf(!CAN_RENAME)(
  'a feeder does not declare jobs lost that run on its own machine under another name',
  async () => {
    const bench = await withRunningJob();
    const log = join(bench.directory, 'log');
    const named = bench.start(['QUEUE', 'feed', '--max_sleep=0.5', '--log', log], { environment: { RQ_HOST: 'b' } });
    await waitFor(() => existsSync(log) && readFileSync(log, 'utf8').includes('not declared lost'), 60_000);
    expect(await bench.jobs()).toMatchObject([{ state: 'running', runner: 'a' }]);
    named.child.kill('SIGTERM');
    await named.ended;
    writeFileSync(join(bench.directory, 'gate'), '');
    await bench.must(['QUEUE', 'feed', '--until-empty'], { environment: { RQ_HOST: 'a' } });
    expect(await bench.jobs()).toMatchObject([{ state: 'finished', exit_status: 7, attempt: 1, runner: 'a' }]);
  },
);
