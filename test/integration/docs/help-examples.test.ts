import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { COMMANDS } from '../../../src/cli/parse/command-table.ts';
import { FakeCrontab } from '../../support/fake-crontab.ts';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const JOBS = 60;
/** Programs in examples that the test replaces by a script. */
const REPLACED: Readonly<Record<string, string>> = {
  ssh: 'shift; exec "$@"',
  less: 'exec cat',
  jq: 'exec cat',
  vim: 'exec true',
  emacs: 'exec true',
  python: 'echo "$@"',
};
/** Commands that print the output of a job, a path or text instead of YAML. */
const NO_YAML = new Set([
  'stdin',
  'stdout',
  'stderr',
  'stdin4',
  'stdout4',
  'stderr4',
  'tail',
  'ioview',
  'lock',
  'completion',
  'run',
  'state',
]);
const TEXT = new Set(['help', 'version']);

let template: string;

/** A queue for the examples: jobs 1 to 60, most of them finished, some failed, some tagged, some pending. */
beforeAll(() => {
  template = join(mkdtempSync(join(tmpdir(), 'rqt-')), 'q');
  const environment = { ...process.env, RQ_Q: template, RQ_RUNTIME_DIR: join(template, '..', 'run') };
  const rq = (words: string[], input = ''): void => {
    execFileSync(join(ROOT, 'bin/rq'), words, { env: environment, input, cwd: join(template, '..') });
  };
  rq(['create']);
  const commands = Array.from({ length: JOBS - 10 }, (_, index) => `echo big.txt; exit $((${index} % 5 == 0))`);
  rq(['submit', '-q', '--tag=x', '--stdin=/etc/passwd', '-'], `${commands.join('\n')}\n`);
  rq(['submit', '-q', '--tag=night', 'exit 3']);
  rq(['feed', '--until-empty', '--max_feed=4']);
  const dead = "state = 'dead', exit_status = null, signal = null, reason = 'its host is gone'";
  rq(['execute', `update jobs set ${dead} where jid in (7, 8)`]);
  rq(['submit', '-q', '--stage', '--tag=old', 'true']);
  rq(['submit', '-q', '--tag=old', '-'], 'true\n'.repeat(8));
}, 120_000);

afterAll(() => rmSync(join(template, '..'), { recursive: true, force: true }));

/** The directories in which shells look for completions. */
const SHELL_DIRECTORIES = ['.zfunc', '.config/fish/completions', '.local/share/bash-completion/completions'];

async function prepared(): Promise<Workbench> {
  const bench = new Workbench();
  cpSync(template, bench.queue, { recursive: true });
  const crontab = new FakeCrontab(bench.directory);
  for (const [name, script] of Object.entries(REPLACED)) {
    writeFileSync(join(crontab.bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  Object.assign(bench.environment, { PATH: crontab.environment['PATH'], RQ_EDITOR: 'true' });
  writeFileSync(join(bench.directory, 'commands.txt'), 'true\nfalse\n');
  writeFileSync(join(bench.directory, 'big.txt'), 'a line\n');
  // A login shell may set another PATH, but the directory of the queue comes first.
  cpSync(join(crontab.bin, 'python'), join(bench.queue, 'bin/python'));
  for (const name of ['lab', 'backup', 'look', ...SHELL_DIRECTORIES]) {
    mkdirSync(join(bench.directory, name), { recursive: true });
  }
  return bench;
}

const RUNNING = `state = 'running', finished = NULL, elapsed = NULL, exit_status = NULL, signal = NULL, reason = NULL,
  max_rss = NULL, cpu_time = NULL, left_behind = NULL, boot = 'b', journal = 'j', runner = 'nowhere'`;
/** The states and tags that the examples of these commands assume. */
const ASSUMED: Readonly<Record<string, string>> = {
  kill: "UPDATE jobs SET tag = 'night1' WHERE state = 'pending'",
  signal: `UPDATE jobs SET ${RUNNING}, tag = 'server' WHERE jid = 42`,
  pause: `UPDATE jobs SET ${RUNNING}, tag = 'big' WHERE jid = 42`,
  resume: `UPDATE jobs SET ${RUNNING}, paused = 1 WHERE jid = 42`,
  hold: "UPDATE jobs SET tag = 'big' WHERE state = 'pending'",
};

/** An example with paths outside of the test directory moved into it. */
function local(command: string): string {
  return command.replaceAll(/(?<= |^)\/(lab|backup|tmp)\//g, './$1-').replaceAll('~/', './');
}

/** A command reports only the fields that `--fields` offers. */
function expectReport(printed: unknown, report: readonly string[] | undefined): void {
  expect(printed).toBeDefined();
  if (report === undefined) return;
  for (const each of Array.isArray(printed) ? printed : [printed]) {
    expect(report).toEqual(expect.arrayContaining(Object.keys(each as object)));
  }
}

describe.each(COMMANDS.map((command) => [command.name, command] as const))(
  'the examples of help %s',
  (name, { examples, short, report }) => {
    test.each(examples.map(([line]) => [line]))('%s', async (line) => {
      const bench = await prepared();
      const command = local(line);
      const needsFeeder =
        ['shutdown', 'restart', 'pid', 'feeder', 'wait', 'run'].includes(name) || command.includes('--wait');
      if (needsFeeder) await bench.must(['QUEUE', 'start', '--max_feed=1', '-q']);
      const hosts = /--with (\S+)/.exec(command)?.[1]?.split(',') ?? [];
      for (const host of hosts) await bench.must(['QUEUE', 'start', '-q'], { environment: { RQ_HOST: host } });
      if (name === 'create') await bench.shell('rm -rf q');
      const assumed = ASSUMED[name];
      if (assumed !== undefined) await bench.must(['QUEUE', 'execute', assumed]);
      if (command.includes('kill running')) await bench.must(['QUEUE', 'execute', ASSUMED['pause'] ?? '']);
      if (name === 'hold' || name === 'release') await bench.must(['QUEUE', 'resubmit', '-q', '42']);
      if (name === 'update') await bench.must(['QUEUE', 'resubmit', '1-51', '-q']);
      if (name === 'tail' && command.includes('running')) {
        await bench.must(['QUEUE', 'submit', '-q', '--priority=99', 'sleep 5']);
        await bench.must(['QUEUE', 'start', '--max_feed=1', '-q']);
        await waitFor(async () => (await bench.jobs('running')).length === 1);
      }
      if (command === 'rq q feed') {
        const feeder = bench.start(['QUEUE', 'feed']);
        await waitFor(() => readdirSync(join(bench.queue, 'nodes')).length > 0);
        feeder.child.kill('SIGTERM');
        expect((await feeder.ended).status).toBe(0);
        return;
      }
      const { stdout, stderr } = await bench.shell(command);
      expect(stderr).not.toMatch(/internal error|rq: cannot/);
      if (TEXT.has(name)) expect(stdout).not.toBe('');
      else if (!NO_YAML.has(name) && stdout.startsWith('---')) expectReport(parse(stdout), report);
      expect(short).not.toContain('');
      const feeder = await bench.run(['QUEUE', 'pid']);
      if (feeder.status === 0) await bench.must(['QUEUE', 'stop']);
      for (const host of hosts) await bench.must(['QUEUE', 'stop'], { environment: { RQ_HOST: host } });
    });
  },
);

test('the pipe in the help of delete removes the pending jobs with the tag, and no others', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  for (const tag of ['old', 'new', 'old', 'older']) await bench.must(['QUEUE', 'submit', '-q', `--tag=${tag}`, 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '--stage', '--tag=old', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', "echo 'tag: old'"]);
  const pipe = COMMANDS.find(({ name }) => name === 'delete')?.examples.find(([line]) => line.includes('|'));
  await bench.shell(pipe?.[0] ?? '');
  expect((await bench.jobs()).map(({ jid }) => jid)).toEqual([2, 4, 5, 6]);
});
