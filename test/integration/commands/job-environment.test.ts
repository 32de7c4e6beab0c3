import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Workbench } from '../../support/program.ts';

/** What two jobs see: one with every option, and one without options. */
let full: Record<string, string>;
let plain: Record<string, string>;
let row: Record<string, unknown>;
let queue: string;
let directory: string;

const PRINT = `printenv -0; printf 'PID=%s\\0' "$$"`;

beforeAll(async () => {
  const bench = new Workbench();
  queue = bench.queue;
  directory = bench.directory;
  await bench.must(['QUEUE', 'create']);
  writeFileSync(join(directory, '.profile'), 'export LOGIN=login BOTH=login RQ_TAG=login; PATH=/login:$PATH\n');
  writeFileSync(join(directory, 'input'), 'input\n');
  const options = [
    ...['--priority', '3', '--tag', 'night', '--note', 'a note', '--restartable', '--runner', '*'],
    ...['--env', 'BOTH=own,OWN=own', '--env', 'PATH=/own:/usr/bin:/bin', '--stdin=input', '--data=input'],
  ];
  await bench.must(['QUEUE', 'submit', '-q', ...options, `${PRINT}; cat`]);
  await bench.must(['QUEUE', 'submit', '-q', `set -u; echo "$RQ_TAG$RQ_ENV$RQ_SCRIPT"; ${PRINT}`], {
    environment: { SUBMITTER: 'x' },
  });
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1'], { environment: { FEEDER: 'feeder' } });
  [row = {}] = await bench.jobs('1');
  full = variables(readFileSync(join(queue, 'stdout/1'), 'utf8'));
  plain = variables(readFileSync(join(queue, 'stdout/2'), 'utf8').slice(1));
});

function variables(text: string): Record<string, string> {
  const entries = text.split('\0').map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  return Object.fromEntries(entries);
}

describe('a job sees', () => {
  test.each([
    ['a variable of the login shell', 'LOGIN', () => 'login'],
    ['a variable of the feeder', 'FEEDER', () => 'feeder'],
    ['the value of --env in place of that of the login shell', 'BOTH', () => 'own'],
    ['a variable of --env', 'OWN', () => 'own'],
    ['bin of the queue before the PATH of --env', 'PATH', () => `${queue}/bin:/own:/usr/bin:/bin`],
    ['its directory', 'PWD', () => directory],
    ['the queue', 'RQ', () => queue],
    ['the queue as default', 'RQ_Q', () => queue],
    ['its jid', 'RQ_JID', () => '1'],
    ['its pid', 'RQ_PID', () => full['PID']],
    ['the recorded pid', 'RQ_PID', () => String(row['pid'])],
    ['its attempt', 'RQ_ATTEMPT', () => '1'],
    ['its tag in place of a variable of the login shell', 'RQ_TAG', () => 'night'],
    ['its note', 'RQ_NOTE', () => 'a note'],
    ['its priority', 'RQ_PRIORITY', () => '3'],
    ['its state', 'RQ_STATE', () => 'running'],
    ['a flag', 'RQ_RESTARTABLE', () => 'true'],
    ['its hosts', 'RQ_RUNNERS', () => '*'],
    ['its host', 'RQ_RUNNER', () => row['runner']],
    ['its submitter', 'RQ_SUBMITTER', () => row['submitter']],
    ['the time of submission', 'RQ_SUBMITTED', () => row['submitted']],
    ['its working directory', 'RQ_CWD', () => directory],
    ['its command', 'RQ_COMMAND', () => `${PRINT}; cat`],
    ['the path of stdin', 'RQ_STDIN', () => join(queue, String(row['stdin']))],
    ['the path of stdout', 'RQ_STDOUT', () => join(queue, 'stdout/1')],
    ['the path of stderr', 'RQ_STDERR', () => join(queue, 'stderr/1')],
    ['the path of its data', 'RQ_DATA', () => join(queue, String(row['data']))],
    ['its variables as JSON', 'RQ_ENV', () => JSON.stringify(row['env'])],
    ['no value of a field that has none', 'RQ_EXIT_STATUS', () => ''],
    ['no path of a script', 'RQ_SCRIPT', () => ''],
  ])('%s: %s', (_, name, value) => {
    expect(full[name]).toBe(value());
  });

  test('itself as YAML in RQ_JOB', () => {
    expect(parse(full['RQ_JOB'] ?? '')).toMatchObject({ jid: 1, state: 'running', tag: 'night', env: row['env'] });
  });
});

test('a job without options sees empty variables for fields without a value, so that set -u works', () => {
  expect(plain).toMatchObject({ RQ_JID: '2', RQ_TAG: '', RQ_ENV: '', RQ_STDIN: '', RQ_NOTE: '', BOTH: 'login' });
  expect(plain['PATH']).toMatch(new RegExp(`^${queue}/bin:/login:`));
});

test('a job with the largest fields that rq accepts starts, and sees its variables', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const sizes = { A: 100_000, B: 100_000, C: 62_000 };
  const list = Object.entries(sizes).map(([name, size]) => `    ${name}: "${'x'.repeat(size)}"`);
  const command = `echo \${#A} \${#B} \${#C} \${#RQ_NOTE} ${'x'.repeat(95_000)} | cut -d " " -f 1-4`;
  const fields = [`- command: ${JSON.stringify(command)}`, `  note: "${'x'.repeat(65_536)}"`, '  env:', ...list];
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `${fields.join('\n')}\n` });
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  expect(bench.stdout(1)).toBe('100000 100000 62000 65536\n');
});

test('a job sees no variable of the submitting shell that --env does not name', () => {
  expect(plain['SUBMITTER']).toBeUndefined();
  expect(Object.keys(plain).filter((name) => name.startsWith('RQ_LAUNCHER'))).toEqual([]);
});
