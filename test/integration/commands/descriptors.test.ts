import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Node gives its children no descriptor below 16, so that only higher ones show the fault. */
const HIGH = [17, 40, 200];

function opened(numbers: readonly number[], path: string): string {
  return numbers.map((number) => `exec ${number}>${path}.${number}; flock -n ${number}`).join('; ');
}

/** The files of `opened` that a process has open. */
function filesOf(bench: Workbench, pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((name) => linkOf(`/proc/${pid}/fd/${name}`))
    .filter((path) => path.startsWith(join(bench.directory, 'lk')));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The process has closed it.
    return '';
  }
}

async function runningJob(bench: Workbench): Promise<number> {
  await bench.must(['QUEUE', 'submit', '-q', 'sleep 300']);
  const [job] = await waitFor(async () => {
    const jobs = await bench.jobs('running');
    return typeof jobs[0]?.['pid'] === 'number' ? jobs : undefined;
  });
  return Number(job?.['pid']);
}

test('a lock of the shell that starts a feeder is free when the shell has ended', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.shell(`(${opened(HIGH, 'lk')}; rq q start --quiet)`);
  for (const number of HIGH) await bench.shell(`flock -n lk.${number} true`);
  const job = await runningJob(bench);
  expect(readdirSync(`/proc/${job}/fd`)).toEqual(['0', '1', '2']);
  const processes = bench.processes();
  expect(processes.length).toBeGreaterThanOrEqual(4);
  for (const pid of processes) expect(filesOf(bench, pid)).toEqual([]);
  await bench.must(['QUEUE', 'restart']);
  for (const number of HIGH) await bench.shell(`flock -n lk.${number} true`);
  await bench.must(['QUEUE', 'stop']);
});

test('what a feeder in the foreground has started keeps none of its descriptors', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const script = `${opened(HIGH, join(bench.directory, 'lk'))}; exec "$0" "$@"`;
  const feeder = bench.start(['QUEUE', 'feed'], { wrapper: ['bash', '-c', script] });
  await runningJob(bench);
  const others = bench.processes().filter((pid) => pid !== feeder.child.pid);
  expect(others.length).toBeGreaterThanOrEqual(3);
  for (const pid of others) expect(filesOf(bench, pid)).toEqual([]);
  // The lock is that of the process in the foreground, until it ends.
  expect(filesOf(bench, feeder.child.pid ?? 0)).toHaveLength(HIGH.length);
  feeder.child.kill('SIGKILL');
  await feeder.ended;
  for (const number of HIGH) await bench.shell(`flock -n lk.${number} true`);
  await bench.must(['QUEUE', 'start', '--quiet']);
  await bench.must(['QUEUE', 'stop']);
});

test('a pipe of the program that starts a feeder is closed when the program has ended', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  // The reader ends when nothing has the pipe open for writing.
  await bench.shell('{ exec 33>&1; rq q start --quiet >/dev/null; } | cat >ended; rq q stop; test -e ended');
  expect(readFileSync(join(bench.directory, 'ended'), 'utf8')).toBe('');
});
