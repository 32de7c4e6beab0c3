import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

const ENV = { SEED: '7', NAME: 'a b\n"c", {d}: #\'', EMPTY: '', yes: 'no', jid: '3' };

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function env(bench: Workbench, selection = 'all'): Promise<unknown[]> {
  return (await bench.jobs(selection)).map((job) => job['env']);
}

/** Submits a job with ENV: some variables of the shell, some by value. */
async function benchWithEnv(): Promise<Workbench> {
  const bench = await newQueue();
  const words = ['--env', 'SEED,NAME', '--env=EMPTY=,yes=no', '--env', 'jid=3', 'echo "$SEED:$NAME"'];
  await bench.must(['QUEUE', 'submit', '-q', ...words], { environment: { SEED: ENV.SEED, NAME: ENV.NAME } });
  return bench;
}

test('submit --env stores variables of the shell and given values, and list prints them as a map on one line', async () => {
  const bench = await benchWithEnv();
  expect(await env(bench)).toEqual([ENV]);
  const lines = (await bench.must(['QUEUE', 'list'])).split('\n').filter((line) => line.startsWith('  env: '));
  expect(lines).toHaveLength(1);
  expect(await bench.must(['QUEUE', 'list', '--fields', 'env'])).toContain('"EMPTY": "", "yes": "no", "jid": "3"}');
});

test.each([['yaml'], ['json']])('a job printed as %s that is submitted again keeps its variables', async (format) => {
  const bench = await benchWithEnv();
  const printed = await bench.must(['QUEUE', 'list', ...(format === 'json' ? ['--json'] : [])]);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: printed });
  await bench.must(['QUEUE', 'submit', '-q', '--env=A=1', '-'], { input: printed });
  expect(await env(bench)).toEqual([ENV, ENV, { A: '1' }]);
});

test('a list in YAML by hand can contain variables in a block', async () => {
  const bench = await newQueue();
  const input = '- command: x\n  env:\n    SEED: "7"\n    PATH_2: /a:/b\n- command: y\n  env: {A: "1"}\n- command: z\n';
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input });
  expect(await env(bench)).toEqual([{ SEED: '7', PATH_2: '/a:/b' }, { A: '1' }, undefined]);
});

test('--env all passes the environment of the shell without what belongs to the session', async () => {
  const bench = await newQueue();
  const environment = { MODEL: 'large', SSH_TTY: '/dev/pts/1', SLURM_JOB_ID: '5', TERM: 'xterm', BASH_ENV: '/none' };
  await bench.must(['QUEUE', 'submit', '-q', '--env', 'all,SEED=1', 'true'], { environment });
  const [variables] = (await env(bench)) as [Record<string, string>];
  expect(variables).toMatchObject({ MODEL: 'large', SEED: '1', PATH: process.env['PATH'] });
  const left = Object.keys(variables).filter((name) =>
    /^(?:RQ|SSH_|SLURM|TERM$|BASH_ENV|SHLVL|PWD|_$|HOME|NODE_)/.test(name),
  );
  expect(left.filter((name) => !name.startsWith('NODE_') || process.env[name] === undefined)).toEqual([]);
});

test('update and resubmit replace or clear the variables, and touch sets those of a pending job', async () => {
  const bench = await benchWithEnv();
  await bench.must(['QUEUE', 'update', '-q', '1', '--env', 'B=2']);
  expect(await env(bench)).toEqual([{ B: '2' }]);
  await bench.must(['QUEUE', 'update', '-q', '1', 'priority=2']);
  expect(await env(bench)).toEqual([{ B: '2' }]);
  await bench.must(['QUEUE', 'update', '-q', '1', 'env=null']);
  expect(await env(bench)).toEqual([undefined]);
  expect(await bench.jobs('env=null')).toHaveLength(1);
  await bench.must(['QUEUE', 'touch', '-q', '--env=C=3', 'echo "$SEED:$NAME"']);
  expect(await env(bench)).toEqual([{ C: '3' }]);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  await bench.must(['QUEUE', 'resubmit', '-q', '1']);
  expect(await env(bench)).toEqual([{ C: '3' }]);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  await bench.must(['QUEUE', 'resubmit', '-q', '--env=D=4', '1']);
  expect(await env(bench)).toEqual([{ D: '4' }]);
});

test('query finds jobs by a variable', async () => {
  const bench = await benchWithEnv();
  await bench.must(['QUEUE', 'submit', '-q', '--env=SEED=8', 'true']);
  const found = JSON.parse(await bench.must(['QUEUE', 'query', '--json', "env ->> 'SEED' = '8'"])) as unknown[];
  expect(found).toMatchObject([{ jid: 2 }]);
});

test('rotate, backup and recover keep the variables', async () => {
  const bench = await benchWithEnv();
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  expect(bench.stdout(1)).toBe(`${ENV.SEED}:${ENV.NAME}\n`);
  await bench.must(['QUEUE', 'backup', 'copy']);
  await bench.must(['QUEUE', 'recover', '--json', '-v1']).catch(() => undefined);
  expect(await env(bench)).toEqual([ENV]);
  await bench.must(['QUEUE', 'rotate', 'done']);
  for (const name of ['copy', 'done']) {
    const jobs = JSON.parse(await bench.must([join(bench.directory, name), 'list', '--json'])) as unknown[];
    expect(jobs).toMatchObject([{ jid: 1, env: ENV }]);
  }
});

test('execute cannot store text that is not a map, and a job ignores names that rq refuses', async () => {
  const bench = await benchWithEnv();
  for (const text of ['[1]', '{', 'x']) {
    expect(await bench.run(['QUEUE', 'execute', `UPDATE jobs SET env = '${text}'`])).toMatchObject({ status: 2 });
  }
  await bench.must(['QUEUE', 'execute', `UPDATE jobs SET env = '{"RQ_JID":"9","SEED":5}'`]);
  expect(await env(bench)).toEqual([{ SEED: '5' }]);
});

const LONG = 'x'.repeat(100_000);

test.each([
  [['--env', 'NOT_SET', 'true'], '', 'the variable NOT_SET is not set; export NOT_SET, or give --env NOT_SET=VALUE'],
  [['--env', 'RQ_TAG=x', 'true'], '', 'the name "RQ_TAG" is set by rq'],
  [['--env', 'A=1,2', 'true'], '', 'in a value, write "\\," for a comma'],
  [['--env=', 'true'], '', 'the value of the option --env is empty'],
  [['--env', `A=${LONG}x`, 'true'], '', 'env sets A to a value that is longer than 100000 bytes'],
  [['--env', `A=${LONG}`, '--env', `B=${LONG}`, '--env', `C=${LONG}`, 'true'], '', 'the limit is 262144'],
  [['-'], '- command: x\n  env: {SEED: 7}\n', 'env sets SEED to a value that must be text, not 7: put it in quotes'],
  [['-'], '- command: x\n  env: A=1\n', 'env must be a map of names and values, not "A=1"'],
  [['-'], '- command: x\n  env: {RQ_JID: "1"}\n', 'env cannot contain "RQ_JID": the name is set by rq'],
  [['-'], '- command: x\n  env: {A: "1", A: "2"}\n', 'line 2'],
  [['--env', 'LATIN', 'true'], '', 'the value of the variable LATIN is not UTF-8; unset it'],
])('submit %.60j is refused in one line, and submits nothing', async (words, input, message) => {
  const bench = await newQueue();
  const wrapper = ['bash', '-c', 'export LATIN=$\'\\xe9\'; exec "$@"', 'bash'];
  const { status, stderr } = await bench.run(['QUEUE', 'submit', ...words], { input, wrapper });
  expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, lines: 1 });
  expect(stderr).toContain(message);
  expect(await bench.jobs()).toEqual([]);
});
