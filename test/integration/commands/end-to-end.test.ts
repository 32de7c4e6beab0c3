import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const lines = (count: number, line: (number: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index + 1)}\n`).join('');

test('a thousand jobs from stdin are run, each with its own output', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: lines(1000, (number) => `echo ${number}`) });
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.counts()).toMatchObject({ finished: 1000, total: 1000 });
  for (let jid = 1; jid <= 1000; jid++) expect(bench.stdout(jid)).toBe(`${jid}\n`);
  const statuses = new Set((await bench.jobs()).map(({ exit_status }) => exit_status));
  expect([...statuses]).toEqual([0]);
});

test('four hosts drain two thousand jobs, each exactly once', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const record = join(bench.directory, 'record');
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: lines(2000, () => `echo $RQ_JID >>${record}`) });
  const hosts = ['h1', 'h2', 'h3', 'h4'];
  await Promise.all(
    hosts.map((RQ_HOST) =>
      bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=2'], { environment: { RQ_HOST } }),
    ),
  );
  const ran = readFileSync(record, 'utf8')
    .trim()
    .split('\n')
    .map(Number)
    .sort((a, b) => a - b);
  expect(ran).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1));
  const jobs = await bench.jobs();
  expect(new Set(jobs.map(({ runner }) => runner))).toEqual(new Set(hosts));
  expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['finished']));
});

test('jobs continue when their feeder is killed, and the next feeder adopts them with their real exit status', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const gate = join(bench.directory, 'gate');
  const command = `while [ ! -e ${gate} ]; do sleep 0.1; done; exit $((RQ_JID + 10))`;
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: lines(10, () => command) });
  const killed = bench.start(['QUEUE', 'feed', '--max_feed=10']);
  await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 10);
  const pids = (await bench.jobs()).map(({ pid }) => pid);
  killed.child.kill('SIGKILL');
  await killed.ended;
  const next = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=10']);
  await waitFor(async () => (await bench.run(['QUEUE', 'feeder'])).status === 0);
  expect((await bench.jobs()).map(({ pid }) => pid)).toEqual(pids);
  writeFileSync(gate, '');
  expect((await next.ended).status).toBe(0);
  const jobs = await bench.jobs();
  expect(jobs.map(({ state, exit_status, attempt }) => [state, exit_status, attempt])).toEqual(
    jobs.map(({ jid }) => ['finished', Number(jid) + 10, 1]),
  );
});

test('jobs that ended while no feeder was running get their real exit status', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const done = join(bench.directory, 'done');
  await bench.must(['QUEUE', 'submit', '-q', `sleep 1; touch ${done}; exit 7`]);
  const killed = bench.start(['QUEUE', 'feed']);
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  killed.child.kill('SIGKILL');
  await waitFor(() => existsSync(done));
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', exit_status: 7, attempt: 1 }]);
});

test('a job that was ended by a signal has the name of the signal', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', 'kill -USR1 $$']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', signal: 'SIGUSR1' }]);
});

test('a job that a real-time signal ended has the name of the signal and is not successful', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'kill -40 $$; exit 5\nkill -64 $$; false\n' });
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect((await bench.jobs()).map(({ exit_status, signal }) => [exit_status, signal])).toEqual([
    [undefined, 'SIGRTMIN+6'],
    [undefined, 'SIGRTMIN+30'],
  ]);
  expect((await bench.jobs('failed')).map(({ jid }) => jid)).toEqual([1, 2]);
});

test('a job has its stdin, its fields in the environment, and the bin of the queue first on PATH', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  writeFileSync(join(bench.queue, 'bin/mine'), '#!/bin/sh\necho mine\n', { mode: 0o755 });
  const command = 'cat; mine; echo $RQ_JID $RQ_TAG $RQ_PRIORITY; echo "$RQ_JOB" | grep command; pwd';
  await bench.must(
    ['QUEUE', 'submit', '-q', '--stdin', '--tag=t1', '-p', '7', '--infile', '/dev/fd/3', command].filter(
      (word) => !/infile|fd/.test(word),
    ),
    { input: 'from stdin\n' },
  );
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(bench.stdout(1)).toContain('from stdin\nmine\n1 t1 7\n');
  expect(bench.stdout(1)).toContain('command: ');
  expect(bench.stdout(1)).toContain(`${bench.directory}\n`);
});

test('stop kills the jobs of the host: restartable jobs go back to pending, the others are finished with a reason', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', 'sleep 1000']);
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', 'sleep 1000']);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2']);
  await waitFor(async () => (await bench.jobs('running')).length === 2);
  await bench.must(['QUEUE', 'stop']);
  expect((await feeder.ended).status).toBe(0);
  const jobs = await bench.jobs();
  expect(jobs).toMatchObject([
    { state: 'finished', signal: 'SIGTERM' },
    { state: 'pending', attempt: 1 },
  ]);
  expect(jobs[0]?.['reason']).toContain('killed by rq stop');
});

test('Ctrl-C lets the running jobs finish; a second Ctrl-C kills them', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', 'sleep 1000']);
  const feeder = bench.start(['QUEUE', 'feed']);
  let diagnostics = '';
  feeder.child.stderr?.on('data', (text: string) => {
    diagnostics += text;
  });
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  feeder.child.kill('SIGINT');
  await waitFor(() => diagnostics.includes('waiting for running jobs; press Ctrl-C again to kill them'));
  expect(await bench.jobs()).toMatchObject([{ state: 'running' }]);
  feeder.child.kill('SIGINT');
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.jobs()).toMatchObject([
    { state: 'finished', reason: expect.stringMatching(/^killed by Ctrl-C on /) },
  ]);
});

test('a submit on the host of an idle feeder wakes the feeder before its next poll', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const feeder = bench.start(['QUEUE', 'feed', '--min_sleep=3600', '--max_sleep=3600']);
  await waitFor(() => readdirSync(join(bench.queue, 'nodes')).length === 1);
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await waitFor(async () => (await bench.jobs('finished')).length === 1);
  await bench.must(['QUEUE', 'update', '-q', '1', 'state=pending']);
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  await bench.must(['QUEUE', 'resubmit', '-q', '1']);
  await waitFor(async () => (await bench.jobs()).every(({ state, attempt }) => state === 'finished' && attempt !== 0));
  await bench.must(['QUEUE', 'shutdown']);
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.jobs()).toMatchObject([{ attempt: 2 }, { attempt: 1 }]);
});

test('a daemon starts once, restarts without touching its jobs, and shuts down when they have finished', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const gate = join(bench.directory, 'gate');
  await bench.must(['QUEUE', 'submit', '-q', `while [ ! -e ${gate} ]; do sleep 0.1; done; exit 3`]);
  expect((await bench.run(['QUEUE', 'pid'])).status).toBe(1);
  const { pid } = JSON.parse(await bench.must(['QUEUE', 'start', '--json'])) as { pid: number };
  expect((await bench.run(['QUEUE', 'start'])).stderr).toContain(String(pid));
  const pids = JSON.parse(await bench.must(['QUEUE', 'pid', '--json'])) as { pid: number; runner: number };
  expect(pids.pid).toBe(pid);
  expect(bench.processes()).toContain(pids.runner);
  expect(await bench.must(['QUEUE', 'start', '--quiet'])).toBe('');
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  const after = JSON.parse(await bench.must(['QUEUE', 'restart', '--json'])) as { pid: number };
  expect(after.pid).not.toBe(pid);
  const shutdown = bench.run(['QUEUE', 'shutdown']);
  writeFileSync(gate, '');
  expect((await shutdown).status).toBe(0);
  expect(await bench.jobs()).toMatchObject([{ state: 'finished', exit_status: 3, attempt: 1 }]);
  expect((await bench.run(['QUEUE', 'pid'])).status).toBe(1);
});

test('a second feeder with the name of a feeding host is refused, and treats none of its jobs as lost', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', 'sleep 1000']);
  const feeder = bench.start(['QUEUE', 'feed']);
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  const again = await bench.run(['QUEUE', 'feed', '--until-empty']);
  expect(again.stderr).toMatch(/the feeder with pid \d+ has been running since /);
  const environment = { RQ_RUNTIME_DIR: `${bench.environment['RQ_RUNTIME_DIR']}2` };
  const other = await bench.run(['QUEUE', 'feed', '--until-empty'], { environment });
  expect(other.stderr).toMatch(
    /^rq: cannot feed .* the runtime directory .* already uses this name; set RQ_RUNTIME_DIR to the same value\n$/,
  );
  const quiet = await bench.run(['QUEUE', 'start', '--quiet'], { environment });
  expect(quiet.stderr).toBe(other.stderr);
  expect([again.status, other.status, quiet.status]).toEqual([1, 1, 1]);
  expect(await bench.jobs()).toMatchObject([{ state: 'running', attempt: 1 }]);
  await bench.must(['QUEUE', 'stop']);
  expect((await feeder.ended).status).toBe(0);
});

test('jobs that end while feeders are killed and restarted all get their real exit status', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  // Some jobs end just when a feeder takes over.
  const command = 'sleep 0.$((RQ_JID % 50 + 10)); exit $((RQ_JID % 100))';
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: lines(240, () => command) });
  for (let round = 0; round < 8; round++) {
    const feeder = bench.start(['QUEUE', 'feed', '--max_feed=40']);
    // A feeder killed before it recorded its lease blocks the queue until the lease is stale.
    await waitFor(async () => (await bench.run(['QUEUE', 'pid'])).status === 0, 60_000);
    feeder.child.kill('SIGKILL');
    await feeder.ended;
  }
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=40']);
  const jobs = await bench.jobs();
  expect(jobs.map(({ state, exit_status }) => [state, exit_status])).toEqual(
    jobs.map(({ jid }) => ['finished', Number(jid) % 100]),
  );
});

test('jobs claimed ahead during quick jobs go back to pending when long jobs occupy the slots', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const long = 'until [ -e gate ]; do sleep 0.1; done';
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `${'true\n'.repeat(300)}${`${long}\n`.repeat(40)}` });
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2', '--until-empty']);
  await waitFor(async () => {
    const { finished, running } = await bench.counts();
    return finished === 300 && running === 2;
  });
  const waiting = await bench.jobs('pending');
  expect(waiting).toHaveLength(38);
  expect(Math.max(...waiting.map(({ attempt }) => Number(attempt)))).toBeLessThanOrEqual(1);
  writeFileSync(join(bench.directory, 'gate'), '');
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.counts()).toMatchObject({ finished: 340, dead: 0 });
});
