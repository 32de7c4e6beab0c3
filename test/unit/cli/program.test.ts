import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { bash, bundleProgram, type Ended } from './program.ts';

// Each call starts a process, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let program: string;
let directory: string;
beforeAll(async () => {
  program = await bundleProgram();
}, 60_000);
afterAll(() => rmSync(dirname(program), { recursive: true }));
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rq-program-'));
  expect(run('rq q create').status).toBe(0);
});
afterEach(() => rmSync(directory, { recursive: true }));

function run(line: string, environment?: NodeJS.ProcessEnv): Ended {
  return bash(program, line, directory, environment);
}

/** The output of a shell line, parsed as YAML. The line must succeed and print nothing on stderr. */
function read(line: string): Record<string, unknown>[] {
  const { status, stdout, stderr } = run(line);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.startsWith('---')).toBe(true);
  return parse(stdout) as Record<string, unknown>[];
}

it('answers --help and --version like the commands help and version', () => {
  for (const [option, command] of [
    ['rq --help', 'rq help'],
    ['rq -h', 'rq help'],
    ['rq submit --help', 'rq help submit'],
    ['rq q submit -h', 'rq help submit'],
    ['rq help submit --help', 'rq help submit'],
    ['rq q list --version', 'rq version'],
  ] as const) {
    expect({ option, ...run(option) }).toEqual({ option, ...run(command) });
  }
  expect(run('rq --help').stdout).toContain('Commands:');
});

describe('create', () => {
  it('prints the path of the queue, and refuses an existing one', () => {
    expect(parse(run('rq other create --locking lease').stdout)).toMatchObject({
      path: join(directory, 'other'),
      database: join(directory, 'other', 'db'),
      locking: 'lease',
    });
    expect(run('rq other create')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^rq: cannot create a queue.*\n$/),
    });
  });
});

describe('submit', () => {
  it('reads one argument as a command line and several as a program with arguments', () => {
    expect(read('rq q submit "sort a > b"')).toMatchObject([{ jid: 1, command: 'sort a > b', cwd: directory }]);
    expect(
      read("rq q submit -p -5 --tag t --runner 'n*' --restartable --stage -- printf '%s' 'a  b' \"it's\" ''"),
    ).toMatchObject([
      {
        jid: 2,
        command: "printf '%s' 'a  b' 'it'\\''s' ''",
        priority: -5,
        tag: 't',
        runners: 'n*',
        restartable: true,
        state: 'holding',
      },
    ]);
  });

  it('reads a list from stdin, - or a file, also as printed by rq list', () => {
    expect(read("printf '# list\\n\\necho a # b\\necho c' | rq q submit")).toMatchObject([
      { command: 'echo a # b' },
      { command: 'echo c' },
    ]);
    writeFileSync(join(directory, 'jobs'), 'echo d\n');
    expect(read('rq q submit -i jobs --tag new')).toMatchObject([{ command: 'echo d', tag: 'new' }]);
    expect(read('rq q list tag=new | rq q submit - --priority 2')).toMatchObject([
      { jid: 4, command: 'echo d', tag: 'new', priority: 2 },
    ]);
    expect(read('rq q list tag=new --json | rq q submit --tag x')).toMatchObject([
      { jid: 5, tag: 'x' },
      { jid: 6, tag: 'x', priority: 2 },
    ]);
  });

  it('copies stdin and data, also of a printed job', () => {
    mkdirSync(join(directory, 'in'));
    writeFileSync(join(directory, 'in', 'file'), 'data');
    read('printf hello | rq q submit --stdin --data in cat');
    expect(run('rq q stdin 1').stdout).toBe('hello');
    read('cd in; rq ../q list 1 | rq ../q submit -');
    expect(run('rq q stdin 2').stdout).toBe('hello');
    expect(readFileSync(join(directory, 'q', 'data', '2', 'file'), 'utf8')).toBe('data');
    expect(run('cat "$(rq q stdin4 2)"').stdout).toBe('hello');
  });

  it('does not use a file of one queue for a job of another', () => {
    read('rq other create');
    read('printf other | rq other submit --stdin cat');
    read('printf hello | rq q submit --stdin cat');
    const { status, stderr } = run('rq other list | rq q submit -');
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('line 2 of stdin: no job of this queue has the file stdin/'),
    ]);
    expect(run('rq q list -f jid').stdout).toBe('---\n-\n  jid: 1\n');
    read('rq q list -f command,stdin | rq q submit -');
    expect(run('rq q stdin 2').stdout).toBe('hello');
  });

  it('reports the submitted jobs if stdout cannot be written', () => {
    const { status, stderr } = run('rq q submit true >/dev/full');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^rq: submitted 1, but cannot write to stdout: ENOSPC/),
    ]);
  });

  it('prints nothing with --quiet', () => {
    expect(run('rq q submit --quiet true')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['rq q submit python train.py --epochs 10', 'rq q submit -- python train.py --epochs 10'],
    ["rq q submit ''", 'command is empty'],
    ['rq q submit <&-', 'stdin is closed'],
    ['rq q submit </dev/null', 'there are no jobs in stdin'],
    ['rq q submit - x', 'cannot submit both a command line and a list'],
    ['rq q submit --infile nowhere', 'cannot read jobs from nowhere'],
    ['rq q submit --stdin=nowhere cat', `stdin ${'/'}`],
    ['rq q submit --stdin=/dev/zero cat', 'stdin /dev/zero is a device'],
    ["rq q submit --tag $'a\\nb' x", 'tag must be one line'],
    ["printf 'a\\nb\\0\\n' | rq q submit", 'line 2 of stdin'],
    ["printf -- '- command: a\\n- comand: b\\n' | rq q submit", 'job 2 of stdin (line 2): there is no field "comand"'],
    ['echo a | rq q submit --stdin', 'stdin cannot contain both the list of jobs and the stdin of the jobs'],
    ["rq q submit $'a\\xff'", 'is not valid UTF-8'],
    ['rq q submit --fields nonsense x', 'there is no field "nonsense"'],
  ])('refuses %s in one line and submits nothing', (line, message) => {
    const { status, stdout, stderr } = run(line);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^rq: [^\n]*\n$/);
    expect(stderr).toContain(message);
    expect(read('rq q list')).toEqual([]);
  });
});

describe('list, delete and the streams', () => {
  it('print the selected jobs, or exit with status 3 if there are none', () => {
    read("printf 'a\\nb\\nc\\nd\\n' | rq q submit");
    expect(read('rq q list 1,3-9 --fields command,jid')).toEqual([
      { command: 'a', jid: 1 },
      { command: 'c', jid: 3 },
      { command: 'd', jid: 4 },
    ]);
    expect(JSON.parse(run('rq q list p tag=null --json -f jid').stdout)).toHaveLength(4);
    expect(run('rq q list 99')).toEqual({
      status: 3,
      stdout: '--- []\n',
      stderr: `rq: cannot list: no job in ${directory}/q matches 99\n`,
    });
    expect(read('rq q delete 2')).toMatchObject([{ jid: 2 }]);
    expect(read('rq q list | grep -B9 -A9 "command: c" | rq q list -')).not.toEqual([]);
    expect(read('rq q list | grep jid | tail -1 | rq q delete')).toMatchObject([{ jid: 4 }]);
    expect(run('rq q delete 77')).toMatchObject({ status: 3 });
    expect(read('rq q delete all').map(({ jid }) => jid)).toEqual([1, 3]);
  });

  it.each(['rq q delete', 'rq q delete </dev/null', 'echo nothing | rq q delete -', 'true | rq q delete'])(
    'refuse an empty selection: %s',
    (line) => {
      read('rq q submit x');
      expect(run(line)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^rq: .*\n$/) });
      expect(read('rq q list')).toHaveLength(1);
    },
  );

  it('report that a job has no stream yet', () => {
    read('rq q submit x');
    expect(run('rq q stdout 1')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'rq: cannot read the stdout of job 1: the job has not started yet\n',
    });
    expect(run('rq q stdout4 1').stdout).toBe(`${directory}/q/stdout/1\n`);
    expect(run('rq q stdout 2')).toMatchObject({ status: 3 });
  });

  it('do not wait for an inherited stdin that never ends', () => {
    read('rq q submit x');
    expect(run('mkfifo pipe; exec 3<>pipe; rq q list <&3').stdout).toContain('jid: 1');
  });
});

describe('any call', () => {
  it.each([
    ['rq nowhere list', 3],
    ['rq q lisst', 2],
    ['rq q list -v9', 2],
    ['rq list', 2],
    ['rq help >/dev/full', 1],
    ['rq --version >/dev/full', 1],
  ])('that fails prints one line: %s', (line, status) => {
    expect(run(line)).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(/^rq: [^\n]*\n$/) });
  });

  it('prints stacks with -v4 only, and no control characters', () => {
    expect(run('rq nowhere list -v4').stderr).toMatch(/\n.*at /);
    expect(run("rq $'no\\nwhere\\e[31m' list").stderr).toContain('no\\nwhere\\u001b[31m');
  });

  it('ends silently when its reader closes the pipe', () => {
    read('seq 20000 | rq q submit');
    const { stdout, stderr } = run('rq q list | head -3; echo $PIPESTATUS');
    expect({ stdout, stderr }).toEqual({ stdout: '---\n-\n  jid: 1\n0\n', stderr: '' });
  });

  it('finds its queue and options in the environment', () => {
    const environment = { RQ_Q: join(directory, 'q'), RQ_OPTS: '--fields=jid --max_feed=3' };
    expect(run('rq submit x', environment).stdout).toBe('---\n-\n  jid: 1\n');
    expect(run('rq list -f comm', environment).stdout).toBe('---\n-\n  command: x\n');
    expect(run('rq q list', environment).stdout).toBe('---\n-\n  jid: 1\n');
  });

  it('also writes its messages to a log', () => {
    expect(run('rq nowhere list --log log').status).toBe(3);
    expect(readFileSync(join(directory, 'log'), 'utf8')).toMatch(/^\d{4}-.*Z fatal no queue at .*\n$/);
    expect(run('rq nowhere list --log /dev/full')).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/^.*\n$/),
    });
  });
});
