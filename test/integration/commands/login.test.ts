import { mkdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hangingDirectory, needsHangingDirectory } from '../../support/hanging-directory.ts';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const SETTINGS = 'umask; ulimit -Sn; ulimit -Sc';

async function newQueue(profile = ''): Promise<Workbench> {
  const bench = new Workbench();
  writeFileSync(join(bench.directory, '.profile'), profile);
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** Runs a job at a feeder that runs, and returns its output. */
async function output(bench: Workbench, command: string): Promise<string> {
  const jid = Number(
    await bench.must(['QUEUE', 'submit', '--fields', 'jid', '--json', '--', command]).then(firstNumber),
  );
  await waitFor(async () => (await bench.jobs('finished')).some((job) => job['jid'] === jid));
  return bench.stdout(jid);
}

function firstNumber(text: string): string {
  return /\d+/.exec(text)?.[0] ?? '';
}

test('jobs get the umask and the limit of open files of the shell that starts the feeder', async () => {
  const bench = await newQueue();
  await bench.shell('umask 027; ulimit -Sn 1024; ulimit -Sc 0; rq q start --quiet');
  expect(await output(bench, SETTINGS)).toBe('0027\n1024\n0\n');
  await bench.must(['QUEUE', 'restart']);
  expect(await output(bench, SETTINGS)).toBe('0027\n1024\n0\n');
  expect(await output(bench, 'printenv RQ_LAUNCHER_LIMITS RQ_LAUNCHER_UMASK || echo none')).toBe('none\n');
  await bench.must(['QUEUE', 'stop']);
});

test('jobs get the limit of open files of the shell in which Node is called directly, as in a crontab line', async () => {
  const bench = await newQueue();
  await bench.shell(`ulimit -Sn 900; umask 027; ${process.execPath} ${join(ROOT, 'bin/rq')} q start --quiet; :`);
  expect(await output(bench, SETTINGS)).toMatch(/^0027\n900\n/);
  await bench.must(['QUEUE', 'stop']);
});

test('jobs get the umask and the soft limits that a profile sets, and its exported functions', async () => {
  const bench = await newQueue('umask 077; ulimit -Sn 600; ulimit -Sc 0\n');
  await bench.shell('greet() { echo hello; }; export -f greet; rq q start --quiet');
  expect(await output(bench, `${SETTINGS}; touch file; greet`)).toBe('0077\n600\n0\nhello\n');
  expect(statSync(join(bench.directory, 'file')).mode & 0o777).toBe(0o600);
  await bench.must(['QUEUE', 'stop']);
});

test('in a queue of a group, jobs have the umask of the user, and the group can read their output', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create', '--mode', 'group']);
  await bench.shell('umask 077; rq q start --quiet --trust-group');
  expect(await output(bench, 'umask; touch file')).toBe('0077\n');
  await bench.must(['QUEUE', 'restart']);
  expect(await output(bench, 'umask')).toBe('0077\n');
  expect(statSync(join(bench.directory, 'file')).mode & 0o777).toBe(0o600);
  for (const name of ['stdout/1', 'stderr/1', 'stdout/2']) {
    expect(statSync(join(bench.queue, name)).mode & 0o070).toBe(0o060);
  }
  await bench.must(['QUEUE', 'stop']);
});

test('nodes and doctor report a profile that ends the login shell, until it is corrected', async () => {
  const bench = await newQueue('exec true\n');
  await bench.must(['QUEUE', 'start', '--quiet']);
  const problem =
    'the login shell ended before it had read the profiles: one of them exits, or executes another program; ' +
    'correct the profiles of bash, such as ~/.bash_profile';
  const logins = async (): Promise<unknown> => {
    const nodes = JSON.parse(await bench.must(['QUEUE', 'nodes', '--json'])) as { login: unknown }[];
    return nodes.map(({ login }) => login);
  };
  expect(await logins()).toEqual([problem]);
  const { status, stdout } = await bench.run(['QUEUE', 'doctor']);
  expect(status).toBe(1);
  expect(stdout).toMatch(/login: problem/);
  expect(stdout).toContain(problem);
  writeFileSync(join(bench.directory, '.profile'), '');
  await waitFor(async () => JSON.stringify(await logins()) === '[null]', 90_000);
  expect((await bench.run(['QUEUE', 'doctor'])).stdout).toMatch(/login: ok/);
  await bench.must(['QUEUE', 'stop']);
});

const hang = needsHangingDirectory(
  'a feeder whose home directory hangs runs jobs, and nodes says why they lack the login environment',
);

test.skipIf(hang.isSkipped)(hang.title, { timeout: 180_000 }, async () => {
  const bench = await newQueue();
  // Not in the directory of the bench, whose removal would hang.
  const home = `${bench.directory}.home`;
  const release = hangingDirectory(home);
  mkdirSync(join(bench.directory, 'logs'));
  const start = ['QUEUE', 'start', '--quiet', '--log', join(bench.directory, 'logs/feeder.log')];
  await bench.must(start, { environment: { HOME: home } });
  expect(await output(bench, 'echo $HOME')).toBe(`${home}\n`);
  expect(await bench.must(['QUEUE', 'nodes'])).toContain('did not end within 30 s');
  await bench.must(['QUEUE', 'stop']);
  release();
  rmdirSync(home);
});
