import { beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Workbench } from '../../support/program.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
});

async function status(...words: string[]): Promise<Record<string, Record<string, unknown>>> {
  return parse(await bench.must(['QUEUE', 'status', ...words])) as Record<string, Record<string, unknown>>;
}

test('status of a selection counts only these jobs, and their failures by exit status and host', async () => {
  const commands = ['true', 'exit 3', 'exit 3', 'kill -9 $$', 'while [ $SECONDS -lt 1 ]; do :; done'];
  await bench.must(['QUEUE', 'submit', '-q', '--tag=x', '-'], { input: `${commands.join('\n')}\n` });
  await bench.must(['QUEUE', 'submit', '-q', '--tag=y', 'exit 4']);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1'], { environment: { RQ_HOST: 'alpha' } });
  const dead = "state = 'dead', exit_status = null, signal = null, reason = 'lost', runner = 'beta'";
  await bench.must(['QUEUE', 'execute', `update jobs set ${dead} where jid = 5`]);
  await bench.must(['QUEUE', 'submit', '-q', '--tag=x', '--stage', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--tag=x', 'true']);

  const report = await status('tag=x', '--exit', 'odd=3,4');
  expect(report).toMatchObject({
    jobs: { pending: 1, holding: 1, running: 0, finished: 4, dead: 1, total: 7 },
    exit_status: { successes: 1, failures: 4, odd: 2 },
    failures: { by_exit_status: { 3: 2, SIGKILL: 1, dead: 1 }, by_host: { alpha: 3, beta: 1 } },
    performance: { finished_in_the_last_hour: 4 },
  });
  expect(Object.keys(report)).toEqual(['jobs', 'temporal', 'performance', 'exit_status', 'failures']);
  expect(Object.keys(report['temporal']?.['dead'] as object)).toEqual(['oldest', 'newest']);
  expect(report['temporal']?.['running']).toEqual({});
  expect(Number(report['performance']?.['jobs_an_hour'])).toBeGreaterThan(0);
  expect(report['performance']?.['time_left']).toMatch(/^\d\dh\d\dm\d\d\.\d\ds$/);
  const cpuTimes = (await bench.jobs('tag=x')).map((job) => Number(job['cpu_time'] ?? 0));
  const seconds = /^00h00m(.*)s$/.exec(String(report['performance']?.['cpu_time']))?.[1];
  expect(Number(seconds)).toBeCloseTo(
    cpuTimes.reduce((sum, each) => sum + each),
    1,
  );

  expect(await status('failed', 'tag=y', '-f', 'exit_status,failures')).toEqual({
    exit_status: { successes: 0, failures: 1 },
    failures: { by_exit_status: { 4: 1 }, by_host: { alpha: 1 } },
  });
  expect(await bench.must(['QUEUE', 'status', '-', '-f', 'jobs'], { input: '1\n7\n' })).toContain('total: 2\n');
  expect((await status('all'))['jobs']).toEqual((await status())['jobs']);
  expect((await status('all'))['exit_status']).toEqual((await status())['exit_status']);
});

test('status counts dead jobs as failures', async () => {
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'true\nexit 1\ntrue\n' });
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  const dead = "state = 'dead', exit_status = null, signal = null, reason = 'lost'";
  await bench.must(['QUEUE', 'execute', `update jobs set ${dead} where jid = 3`]);
  expect((await status())['exit_status']).toEqual({ successes: 1, failures: 2 });
});

test('status of a selection that matches no job prints zeros, and exits with status 3', async () => {
  const { status: code, stdout, stderr } = await bench.run(['QUEUE', 'status', 'tag=x']);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^rq: cannot status: no job in .* matches tag=x\n$/);
  expect(parse(stdout)).toMatchObject({ jobs: { total: 0 }, failures: { by_exit_status: {}, by_host: {} } });
  expect(await bench.run(['QUEUE', 'status', 'nonsense'])).toMatchObject({ status: 2, stdout: '' });
});
