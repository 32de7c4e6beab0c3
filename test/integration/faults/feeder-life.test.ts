import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const GATED = 'until [ -e go ]; do sleep 0.05; done';

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

function runtimeOf(bench: Workbench): string {
  const root = String(bench.environment['RQ_RUNTIME_DIR']);
  return join(root, readdirSync(root)[0] ?? '');
}

async function feederPid(bench: Workbench): Promise<number> {
  return await waitFor(async () => {
    const { status, stdout } = await bench.run(['QUEUE', 'pid', '--json']);
    return status === 0 ? (JSON.parse(stdout) as { pid: number }).pid : undefined;
  });
}

test('feed -D in RQ_OPTS starts one daemon, not a daemon that starts another', async () => {
  const bench = await newQueue();
  const environment = { RQ_OPTS: '-D' };
  const { pid } = JSON.parse(await bench.must(['QUEUE', 'feed', '--json'], { environment })) as { pid: number };
  expect(await feederPid(bench)).toBe(pid);
  await bench.must(['QUEUE', 'stop']);
});

test('a feeder in the foreground continues after the reader of its stderr has closed it', async () => {
  const bench = await newQueue();
  const feeder = bench.start(['QUEUE', 'feed']);
  await feederPid(bench);
  feeder.child.stderr?.destroy();
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'exit 3\nexit 4\n' });
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  await bench.must(['QUEUE', 'shutdown']);
  expect((await feeder.ended).status).toBe(0);
});

test('a feeder whose runtime directory was removed keeps its jobs, and a second feeder refuses to start', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', `echo $$ >>pids; ${GATED}`]);
  const feeder = bench.start(['QUEUE', 'feed']);
  await waitFor(() => existsSync(join(bench.directory, 'pids')));
  rmSync(runtimeOf(bench), { recursive: true });
  const { status, stderr } = await bench.run(['QUEUE', 'start']);
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(
      `^rq: cannot feed .* the feeder with pid ${feeder.child.pid} already uses this name, .*kill ${feeder.child.pid}\n$`,
    ),
  ]);
  expect(await bench.jobs()).toMatchObject([{ state: 'running', attempt: 1 }]);
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(async () => (await bench.jobs('finished')).length === 1);
  expect(readFileSync(join(bench.directory, 'pids'), 'utf8').trim().split('\n')).toHaveLength(1);
  feeder.child.kill('SIGTERM');
  expect((await feeder.ended).status).toBe(0);
});

test('a shutdown during which the feeder is killed reports the jobs that still run', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', GATED]);
  const feeder = bench.start(['QUEUE', 'feed']);
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  const shutdown = bench.start(['QUEUE', 'shutdown']);
  let output = '';
  shutdown.child.stderr?.on('data', (text: string) => {
    output += text;
  });
  await waitFor(() => output.includes('waiting for the running jobs'));
  feeder.child.kill('SIGKILL');
  const { status, stdout, stderr } = await shutdown.ended;
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /rq: cannot end all jobs of .* has ended, but 1 job is still running on .*; run rq .* start to take over the jobs/,
  );
  await bench.must(['QUEUE', 'stop']);
});

test('a job has USER and LOGNAME even if the feeder was started without them', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', 'echo "$USER $LOGNAME"']);
  await bench.must(['QUEUE', 'feed', '--until-empty'], { environment: { USER: undefined, LOGNAME: undefined } });
  const name = (await bench.shell('id -un')).stdout.trim();
  expect(bench.stdout(1)).toBe(`${name} ${name}\n`);
});
