import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CrashPoint } from '../../../src/job/crash-points.ts';
import { Workbench } from '../../support/program.ts';

async function newQueue(access = 'private'): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create', '--mode', access]);
  return bench;
}

function write(bench: Workbench, text: string | Uint8Array, name = 'run.sh'): void {
  writeFileSync(join(bench.directory, name), text);
}

async function runAll(bench: Workbench): Promise<void> {
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
}

/** The files in `script/`, without links. */
function copies(bench: Workbench): string[] {
  return readdirSync(join(bench.queue, 'script')).filter((name) => name.includes('.'));
}

test('a job runs the script as it was when it was submitted, with its arguments', async () => {
  const bench = await newQueue();
  write(bench, 'echo "$# $1 $2"; exit 3\n');
  await bench.must(['QUEUE', 'submit', '-q', '--script', 'run.sh', '--', '--epochs', "it's 1"]);
  write(bench, 'echo changed\n');
  rmSync(join(bench.directory, 'run.sh'));
  const [job] = await bench.jobs();
  expect(job).toMatchObject({ command: `source "$RQ_SCRIPT" --epochs 'it'\\''s 1' # run.sh` });
  expect(job?.['script']).toMatch(/^script\/[-0-9a-f]{36}\.1$/);
  await runAll(bench);
  expect(bench.stdout(1)).toBe("2 --epochs it's 1\n");
  expect(await bench.jobs()).toMatchObject([{ exit_status: 3 }]);
  expect(readFileSync(join(bench.queue, 'script/1'), 'utf8')).toContain('exit 3');
});

test.each([
  ['echo "$0"', 'source', 'bash\n'],
  ['#!/bin/bash\necho "$0"', 'source', 'bash\n'],
  ['#!/usr/bin/env bash\necho "$0"', 'source', 'bash\n'],
  ['#!/bin/bash -l\necho "$-" | tr -dc eu', 'source', ''],
  ['#! /bin/bash -eu\necho "$-" | grep -o "[eu]"; false; echo after', 'set -eu; source', 'e\nu\n'],
  ['#!/bin/sh -e\nfalse\necho after', '/bin/sh -e', ''],
  ['#!/bin/sh\necho "$0"', '/bin/sh', 'SCRIPT\n'],
  ['#!/usr/bin/env -S perl -l\nprint "perl"', "/usr/bin/env '-S perl -l'", 'perl\n'],
])('a script %j runs by %s', async (text, interpreter, output) => {
  const bench = await newQueue();
  write(bench, text);
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh']);
  const [job] = await bench.jobs();
  expect(job?.['command']).toBe(`${interpreter} "$RQ_SCRIPT" # run.sh`);
  await runAll(bench);
  expect(bench.stdout(1)).toBe(output.replace('SCRIPT', join(bench.queue, String(job?.['script']))));
});

test('a script for bash can use the functions of the login shell', async () => {
  const bench = await newQueue();
  write(bench, 'module() { echo "module $1"; }\n', '.profile');
  write(bench, '#!/bin/bash\nmodule load\n');
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh']);
  await runAll(bench);
  expect(bench.stdout(1)).toBe('module load\n');
});

test('#RQ lines are options, and the command line and RQ_OPTS take precedence', async () => {
  const bench = await newQueue();
  const lines = ['#!/bin/bash', "#RQ --tag 'a b' --priority 4 # comment", '# RQ --tag no', '##RQ --tag no', '', '#RQ'];
  write(bench, [...lines, '#RQ --env A=1 --note script', '#RQ --env B=2 --stage', 'true'].join('\n'));
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh']);
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh', '-p9', '--env', 'C=3'], {
    environment: { RQ_OPTS: '--tag opts' },
  });
  expect(await bench.jobs()).toMatchObject([
    { state: 'holding', tag: 'a b', priority: 4, note: 'script', env: { A: '1', B: '2' } },
    { state: 'holding', tag: 'opts', priority: 9, note: 'script', env: { C: '3' } },
  ]);
});

test('#RQ after the first command is ignored, with a warning that names the line', async () => {
  const bench = await newQueue();
  write(bench, '#RQ --tag a\ntrue\n#RQ --tag b\n');
  const { status, stderr } = await bench.run(['QUEUE', 'submit', '-q', '--script=run.sh']);
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining('run.sh, line 3: ') });
  expect(await bench.jobs()).toMatchObject([{ tag: 'a' }]);
});

test.each([
  ['#!/bin/bash\n#RQ --nosuch 1\n', 'cannot submit: run.sh, line 2: there is no option --nosuch'],
  ['#RQ --prioritty 1\n', 'run.sh, line 1: there is no option --prioritty; did you mean --priority?'],
  ['#RQ --priority high\n', 'run.sh, line 1: the option --priority must be a whole number'],
  ['\n# x\n#RQ --tag\n', 'run.sh, line 3: '],
  ['#RQ --tag "a\n', 'run.sh, line 1: cannot read the options: the quote'],
  ['#RQ --tag a\n#RQ echo\n', 'run.sh, line 2: only options are allowed, not the word "echo"'],
  ['#RQ --script x\n', 'run.sh, line 1: the option --script is not allowed in a script; give it on the command line'],
  ['#RQ --infile x\n', 'run.sh, line 1: the option --infile is not allowed in a script'],
  ['#RQ -q\n', 'run.sh, line 1: the option --quiet is not allowed in a script'],
  ['#RQ --json\n', 'run.sh, line 1: the option --json is not allowed in a script'],
  ['#RQ --max_feed 3\n', 'run.sh, line 1: the option --max_feed is not allowed in a script'],
  ['#RQ --env NOT_SET\n', 'cannot submit: run.sh, line 1 with --env: the variable NOT_SET is not set'],
  ['#RQ --stdin=nosuch\n', 'cannot submit: run.sh, line 1: stdin'],
  [`#RQ --tag ${'x'.repeat(256)}\n`, 'cannot submit: run.sh, line 1: tag is longer than 255 bytes'],
  [Buffer.from('#RQ --tag \xe9\n', 'latin1'), 'cannot submit: run.sh, line 1: the line is not UTF-8'],
  ['', 'cannot submit: the script run.sh is empty'],
  [' \n\n', 'cannot submit: the script run.sh is empty'],
  ['#!/bin/bash\r\necho\r\n', 'cannot submit: the lines of the script run.sh end with CR LF, as on Windows; remove'],
  ['#RQ --tag a\r\necho\n', 'end with CR LF'],
  ['\x7fELF\0\0', 'the script run.sh is a binary file: submit a program as a command line'],
  ['#'.repeat(4 * 1024 * 1024 + 1), 'the script run.sh is larger than 4194304 bytes'],
])('a script %.40j is refused in one line, and nothing is submitted', async (text, message) => {
  const bench = await newQueue();
  write(bench, text);
  const { status, stderr } = await bench.run(['QUEUE', 'submit', '--script', 'run.sh']);
  expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, lines: 1 });
  expect(stderr).toContain(message);
  expect(await bench.jobs()).toEqual([]);
  expect(readdirSync(join(bench.queue, 'script'))).toEqual([]);
});

test.each([
  [['--script', 'nosuch'], 'nosuch does not exist'],
  [['--script', '.'], 'is a directory; give a file'],
  [['--script', '/dev/zero'], 'is a device and may never end'],
  [['--script', '-', '--stdin'], 'stdin cannot contain both the script and the stdin of the jobs'],
  [['--script', 'run.sh', '-'], 'cannot submit both a script and a list'],
  [['--script', 'run.sh', '--infile', 'run.sh'], 'cannot submit both a script and a list'],
])('submit %j is refused in one line', async (words, message) => {
  const bench = await newQueue();
  write(bench, 'true\n');
  const { status, stderr } = await bench.run(['QUEUE', 'submit', ...words], { input: 'true\n' });
  expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, lines: 1 });
  expect(stderr).toContain(message);
});

test('a script can come from stdin', async () => {
  const bench = await newQueue();
  await bench.must(['QUEUE', 'submit', '-q', '--script', '-', 'x'], { input: '#RQ --tag t\necho "$1" "$RQ_TAG"\n' });
  await runAll(bench);
  expect(bench.stdout(1)).toBe('x t\n');
});

test('a printed job that is submitted again gets a copy of its script, and delete removes the copies', async () => {
  const bench = await newQueue();
  write(bench, 'echo "$1"\n');
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh', '7']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: await bench.must(['QUEUE', 'list']) });
  expect(new Set((await bench.jobs()).map((job) => job['script'])).size).toBe(2);
  await bench.must(['QUEUE', 'delete', '1']);
  await runAll(bench);
  expect(bench.stdout(2)).toBe('7\n');
  await bench.must(['QUEUE', 'delete', '2']);
  expect(readdirSync(join(bench.queue, 'script'))).toEqual([]);
});

test('resubmit --script and update script=FILE replace the script, and keep the arguments', async () => {
  const bench = await newQueue();
  write(bench, '#RQ --tag old\necho old "$@"\n');
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh', 'a # b', "it's"]);
  await runAll(bench);
  write(bench, '#!/bin/sh\n#RQ --tag new\necho new "$@"\n', 'new.sh');
  await bench.must(['QUEUE', 'resubmit', '-q', '1', '--script=new.sh']);
  const command = `/bin/sh "$RQ_SCRIPT" 'a # b' 'it'\\''s' # new.sh`;
  expect(await bench.jobs()).toMatchObject([{ state: 'pending', tag: 'new', command }]);
  expect(copies(bench)).toHaveLength(1);
  await runAll(bench);
  expect(bench.stdout(1)).toBe("new a # b it's\n");
  await bench.must(['QUEUE', 'resubmit', '-q', '1']);
  await bench.must(['QUEUE', 'update', '-q', '1', 'script=run.sh']);
  expect(await bench.jobs()).toMatchObject([
    { tag: 'new', command: `source "$RQ_SCRIPT" 'a # b' 'it'\\''s' # run.sh` },
  ]);
  await runAll(bench);
  expect(bench.stdout(1)).toBe("old a # b it's\n");
  expect(copies(bench)).toHaveLength(1);
  await bench.must(['QUEUE', 'resubmit', '-q', '1']);
  await bench.must(['QUEUE', 'update', '-q', '1', 'script=null', 'command=echo none']);
  expect((await bench.jobs()).map(({ command: line, script }) => [line, script])).toEqual([['echo none', undefined]]);
  expect(readdirSync(join(bench.queue, 'script'))).toEqual([]);
});

test.each([
  [['script=null'], 'without the script, a job needs another command; add command=TEXT'],
  [['script=nosuch'], 'cannot update: script'],
  [['script=run.sh', '--replace', 'a', 'b'], '--replace cannot be combined with a new command or script'],
])('update %j is refused in one line, and changes nothing', async (words, message) => {
  const bench = await newQueue();
  write(bench, 'true\n');
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh']);
  const before = await bench.must(['QUEUE', 'list']);
  const { status, stderr } = await bench.run(['QUEUE', 'update', '1', ...words]);
  expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, lines: 1 });
  expect(stderr).toContain(message);
  expect(await bench.must(['QUEUE', 'list'])).toBe(before);
});

test('touch finds a pending job with the same script and arguments', async () => {
  const bench = await newQueue();
  write(bench, 'echo 1\n');
  write(bench, 'echo 2\n', 'other.sh');
  for (const name of ['run.sh', 'run.sh', 'other.sh']) await bench.must(['QUEUE', 'touch', '-q', `--script=${name}`]);
  expect((await bench.jobs()).map(({ jid }) => jid)).toEqual([1, 2]);
  expect(copies(bench)).toHaveLength(2);
});

test('rotate moves the script, and doctor reports a missing one and one without a job', async () => {
  const bench = await newQueue();
  write(bench, 'true\n');
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh']);
  await runAll(bench);
  const [name = ''] = copies(bench);
  await bench.must(['QUEUE', 'rotate', 'done']);
  expect(readdirSync(join(bench.queue, 'script'))).toEqual([]);
  expect(existsSync(join(bench.directory, 'done/script', name))).toBe(true);
  await bench.must(['QUEUE', 'submit', '-q', '--script=run.sh']);
  const [second = ''] = copies(bench);
  rmSync(join(bench.queue, 'script', second));
  writeFileSync(join(bench.queue, 'script/77'), '');
  const { stdout } = await bench.run(['QUEUE', 'doctor']);
  expect(stdout).toContain(`script/${second}`);
  expect(stdout).toContain('these files belong to no job: script/77');
});

test('in a queue of a group, the group can read the copy of a script', async () => {
  const bench = await newQueue('group');
  write(bench, 'true\n');
  await bench.shell('umask 077; rq q submit -q --script run.sh');
  const [name = ''] = copies(bench);
  expect(statSync(join(bench.queue, 'script', name)).mode & 0o777).toBe(0o660);
});

describe('submit --script killed', () => {
  const BEFORE: CrashPoint[] = ['file-staged', 'files-staged', 'transaction-executed'];
  const AFTER: CrashPoint[] = ['transaction-committed', 'files-linked'];

  test.each([...BEFORE.map((point) => [point, 0] as const), ...AFTER.map((point) => [point, 1] as const)])(
    'at %s leaves %d jobs, each with its script, and no other file',
    async (point, count) => {
      const bench = await newQueue();
      write(bench, 'echo script\n');
      const environment = { RQ_CRASH_AT: `${point}:${join(bench.directory, 'crashed')}` };
      const { signal } = await bench.run(['QUEUE', 'submit', '--script=run.sh'], { environment });
      expect(signal).toBe('SIGKILL');
      await runAll(bench);
      const jobs = await bench.jobs();
      expect(jobs).toMatchObject(Array(count).fill({ state: 'finished', exit_status: 0 }));
      if (count === 1) expect(bench.stdout(1)).toBe('script\n');
      expect(copies(bench).map((name) => `script/${name}`)).toEqual(jobs.map((job) => job['script']));
    },
  );
});
