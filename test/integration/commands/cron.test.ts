import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeCrontab, pathWithoutCrontab } from '../../support/fake-crontab.ts';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

interface Report {
  readonly crontab: string;
  readonly lines: string[];
  readonly feeder?: string;
  readonly pid?: number;
  readonly log?: string;
}

/** Lines of the user: Latin-1, mixed line ends, irregular spacing, and no final newline. */
const OTHERS = 'MAILTO=me\r\n\n# caf\xe9\n\t0  3 * * *   backup 100\\%\n# rq cron /x\n5 5 * * * last';

let bench: Workbench;
let crontab: FakeCrontab;
beforeEach(async () => {
  bench = new Workbench();
  crontab = new FakeCrontab(bench.directory);
  Object.assign(bench.environment, crontab.environment);
  await bench.must(['QUEUE', 'create']);
});

async function cron(...words: string[]): Promise<Report> {
  return JSON.parse(await bench.must(['QUEUE', 'cron', ...words, '--json'])) as Report;
}

/** Runs the command of a line as cron does, in the environment of cron. */
function runAsCron(line: string): string {
  const command = line.replace(/^(?:@reboot|(?:\S+ ){4}\S+) /, '').replaceAll('\\%', '%');
  const environment = { HOME: bench.directory, LOGNAME: 'me', SHELL: '/bin/sh', PATH: '/usr/bin:/bin' };
  return execFileSync('/bin/sh', ['-c', command], { cwd: bench.directory, env: environment, encoding: 'utf8' });
}

describe('rq cron', () => {
  test('adds its lines below other lines, replaces them, and removes them', async () => {
    crontab.content = OTHERS;
    const start = `/usr/bin/env RQ_RUNTIME_DIR=${bench.directory}/run ${process.execPath} ${ROOT}bin/rq ${bench.queue} start --quiet`;
    const added = [`*/15 * * * * ${start}`, `@reboot ${start}`].map((line) => `${line} # rq cron ${bench.queue}`);
    expect(await cron('add')).toEqual({ queue: bench.queue, crontab: 'added', lines: added });
    expect(crontab.content).toBe(`${OTHERS}\n${added.join('\n')}\n`);

    crontab.content += 'later\n';
    const { crontab: outcome, lines } = await cron('add', '--max-feed=3', '--trust-group', '--log=here', '--rotate');
    expect(outcome).toBe('replaced');
    expect(lines[1]).toBe(
      `@reboot ${start} --max_feed=3 --trust-group --log=${bench.directory}/here # rq cron ${bench.queue}`,
    );
    expect(lines[2]).toMatch(/^17 3 \* \* \* .* rotate >\/dev\/null # rq cron /);
    expect(crontab.content).toBe(`${OTHERS}\n${lines.join('\n')}\nlater\n`);

    expect(await cron('delete')).toMatchObject({ crontab: 'removed', lines });
    expect(crontab.content).toBe(`${OTHERS}\nlater\n`);
  });

  test('an unchanged crontab is not written', async () => {
    expect(await bench.run(['QUEUE', 'cron', 'delete'])).toMatchObject({
      status: 0,
      stderr: `rq: the crontab has no lines for ${bench.queue}\n`,
    });
    expect(crontab.writeCount).toBe(0);
    await cron('add');
    expect(await cron('add')).toMatchObject({ crontab: 'unchanged' });
    expect(crontab.writeCount).toBe(1);
  });

  test('a queue is recognised by its path, by a symbolic link, and after it was removed', async () => {
    await bench.must([`${bench.queue}2`, 'create']);
    await bench.must([`${bench.queue}2`, 'cron', 'add']);
    const others = crontab.content;
    await cron('add');
    symlinkSync(bench.queue, join(bench.directory, 'link'));
    await bench.must(['link', 'cron', 'delete']);
    expect(crontab.content).toBe(others);
    await cron('add');
    renameSync(bench.queue, join(bench.directory, 'gone'));
    await cron('delete');
    expect(crontab.content).toBe(others);
  });

  test('concurrent additions lose no line', async () => {
    const queues = ['a', 'b', 'c', 'd'];
    for (const queue of queues) await bench.must([queue, 'create']);
    await Promise.all(queues.map((queue) => bench.must([queue, 'cron', 'add'])));
    expect(crontab.content.match(/@reboot /g)).toHaveLength(4);
  });

  test('tab only prints the lines', async () => {
    const text = await bench.must(['QUEUE', 'cron', 'tab', '--min_sleep', '2']);
    expect(crontab.writeCount).toBe(0);
    expect(JSON.parse(await bench.must(['QUEUE', 'cron', 'tab', '--min_sleep=2', '--json']))).toEqual(
      text.trimEnd().split('\n'),
    );
    await bench.must(['QUEUE', 'cron', 'add', '--min_sleep', '2']);
    expect(crontab.content).toBe(text);
  });
});

describe('a feeder that cron keeps running', () => {
  test('starts and ends together with its lines', async () => {
    const { feeder, pid, log = '' } = await cron('start', '--max_feed', '2', '--dot_rq_dir', 'logs');
    expect(feeder).toBe('started');
    expect(readFileSync(log, 'utf8')).toContain(`"pid":${pid}`);
    expect(log).toContain(`${bench.directory}/logs/`);
    expect(crontab.content).toContain(`--max_feed=2 --dot_rq_dir=${bench.directory}/logs # rq cron`);
    expect(await cron('start')).toMatchObject({ crontab: 'replaced', feeder: 'running', pid });
    expect(await cron('shutdown')).toMatchObject({ crontab: 'removed', feeder: 'ended', pid });
    expect(await bench.run(['QUEUE', 'pid'])).toMatchObject({ status: 1 });
    expect(crontab.content).toBe('');
    expect(await cron('shutdown')).toMatchObject({ crontab: 'unchanged', feeder: 'none' });
  });

  test('is started again after stop, which reports this', async () => {
    await cron('start');
    const { status, stderr } = await bench.run(['QUEUE', 'stop']);
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/^rq: cron will start .* to prevent this, run: rq .* cron delete\n$/),
    ]);
  });

  test('ends immediately with stop, and so do its jobs', async () => {
    await bench.must(['QUEUE', 'submit', 'sleep 1000']);
    await cron('start');
    await waitFor(async () => (await bench.counts())['running'] === 1);
    expect(await cron('stop')).toMatchObject({ crontab: 'removed', feeder: 'ended' });
    expect(await bench.counts()).toMatchObject({ running: 0, finished: 1 });
  });

  test.each(['@reboot', '*/15'])('is started by the line %s from a path that needs quotes', async (when) => {
    bench.queue = join(bench.directory, "it's 100% \\% q # rq cron");
    Object.assign(bench.environment, { RQ_HOST: 'h1' });
    await bench.must(['QUEUE', 'create']);
    await cron('add', '--max_feed=1', '--log', "a 'log' of 5%");
    const line = crontab.content.split('\n').find((each) => each.startsWith(when)) ?? '';
    expect(runAsCron(line)).toBe('');
    expect(JSON.parse(await bench.must(['QUEUE', 'feeder', '--json']))).toMatchObject({ host: 'h1', slots: 1 });
    expect(readFileSync(join(bench.directory, "a 'log' of 5%"), 'utf8')).toContain('started');
    expect(runAsCron(line)).toBe('');
    expect(await cron('shutdown')).toMatchObject({ crontab: 'removed', feeder: 'ended' });
  });
});

describe('rq cron reports an error in one line and changes nothing:', () => {
  const add = ['QUEUE', 'cron', 'add'];

  test.each([
    [
      'a refusal',
      'echo "You (me) are not allowed to use this program (crontab)" >&2\necho See >&2; exit 1',
      'You (me) are not',
    ],
    ['a crontab that cannot be read', 'echo "/var/spool: Permission denied" >&2; exit 1', 'Permission denied'],
    ['a failure without a message', 'exit 3', 'exit code 3'],
    [
      'a crontab that cannot be written',
      '[ $1 = -l ] || { echo "No space left on device" >&2; exit 1; }',
      'No space left',
    ],
    ['a crontab that is too long', '[ $1 = - ] && exit 1; seq 200000', 'exit code 1'],
    ['a change that does not last', '[ $1 = -l ] || cat >/dev/null', '"crontab -l" does not show the change'],
  ])('%s', async (_, script, message) => {
    crontab.behave(script);
    const { status, stdout, stderr } = await bench.run(add);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^rq: cannot add the feeder of \S+ to the crontab: [^\n]*\n$/);
    expect(stderr).toContain(message);
  });

  test('no crontab program', async () => {
    const environment = { PATH: pathWithoutCrontab(bench.directory) };
    expect(await bench.run(['QUEUE', 'cron', 'start'], { environment })).toEqual({
      status: 1,
      signal: null,
      stdout: '',
      stderr:
        `rq: cannot add the feeder of ${bench.queue} to the crontab: this host has no crontab program; ` +
        `install cron, or run at each boot: rq ${bench.queue} start --quiet\n`,
    });
    expect(await bench.run(['QUEUE', 'pid'])).toMatchObject({ status: 1 });
  });

  test.each([
    ['a mistyped action', ['ad'], 2, '"ad" is not an action of cron: use add, start'],
    ['an abbreviated action', ['st'], 2, '"st" is not an action of cron'],
    ['no action', [], 2, 'cron needs add|start'],
    ['too many arguments', ['add', 'now'], 2, 'cron takes only add|start'],
    ['contradictory options', ['add', '--min_sleep=9', '--max_sleep=8'], 2, '--min_sleep 9 is greater than'],
    ['an unknown field', ['add', '--fields=nothing'], 2, 'there is no field'],
    ['a path with a newline', ['add', '--log=a\nb'], 2, 'contains a newline'],
    ['a line that cron would truncate', ['add', `--dot_rq_dir=${'d'.repeat(900)}`], 2, 'cron allows only 998'],
  ])('%s', async (_, words, status, message) => {
    const ended = await bench.run(['QUEUE', 'cron', ...words]);
    expect(ended).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(/^rq: [^\n]*\n$/) });
    expect(ended.stderr).toContain(message);
    expect(crontab.writeCount).toBe(0);
  });

  test('an unsafe or missing queue', async () => {
    chmodSync(bench.queue, 0o770);
    expect(await bench.run(add)).toMatchObject({ status: 1, stderr: expect.stringContaining('--trust-group') });
    for (const word of ['add', 'start', 'tab']) {
      expect(await bench.run(['nowhere', 'cron', word])).toMatchObject({ status: 3, stdout: '' });
    }
    expect(crontab.writeCount).toBe(0);
  });
});

test('the change of the crontab is printed even if the feeder then fails', async () => {
  await cron('add');
  renameSync(bench.queue, join(bench.directory, 'gone'));
  const { status, stdout, stderr } = await bench.run(['QUEUE', 'cron', 'shutdown', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ crontab: 'removed', feeder: 'failed' });
  expect({ status, stderr }).toEqual({ status: 3, stderr: expect.stringMatching(/^rq: no queue at [^\n]*\n$/) });
});
