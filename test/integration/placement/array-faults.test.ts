import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

function write(bench: Workbench, name: string, text: string): void {
  writeFileSync(join(bench.directory, name), text);
}

describe('is wrong usage, and nothing is submitted:', () => {
  const command = ['echo {x}'];
  test.each([
    [['--array=5-1', ...command], 'cannot submit: --array contains the reversed range 5-1; give 1-5'],
    [['--array=1,1', ...command], 'cannot submit: --array contains the index 1 more than once'],
    [['--array=1%2', '--at-most=3', ...command], 'cannot submit: --at-most 3 and %2 in --array are two limits'],
    [['--array=1-3', '--for', 'x=1', ...command], 'cannot submit: give either --array or --for'],
    [['--at-most=2', ...command], 'cannot submit: --at-most requires --array or --for'],
    [['--max-fails=2', '-'], 'cannot submit: --max-fails requires --array or --for'],
    [['--array=1-3'], 'cannot submit: --array applies to one command line or script, not to a list of jobs'],
    [['--for', 'x=1', '-'], 'cannot submit: --for applies to one command line or script, not to a list of jobs'],
    [['--for', 'x=1', '--infile', 'list'], 'cannot submit: --for applies to one command line or script'],
    [['--for', 'x', ...command], 'cannot submit: --for must be NAME=VALUES, such as lr=0.1,0.01, not "x"'],
    [['--for', '1x=1', ...command], 'cannot submit: --for has the name "1x", which must consist of letters'],
    [['--for', 'RQ_X=1', ...command], 'cannot submit: --for has the name "RQ_X", which is set by rq'],
    [['--for', 'x=1', '--for', 'x=2', ...command], 'cannot submit: --for names x twice'],
    [['--for', 'x=', ...command], 'cannot submit: --for x has an empty value'],
    [['--for', 'x=1,,2', ...command], 'cannot submit: --for x has an empty value'],
    [['--for', 'x=5..1', ...command], 'cannot submit: --for x: "5..1" is reversed'],
    [['--for', 'x=1e1..1e2', ...command], 'cannot submit: --for x: "1e1..1e2" is not a range of numbers'],
    [['--for', 'x=1..4000', '--for', 'y=1..4000', ...command], 'cannot submit: the sweep has 16000000 combinations'],
    [['--for', 'x=@missing', ...command], 'cannot submit with --for: cannot read missing: ENOENT'],
    [['--for', 'x=@', ...command], 'cannot submit with --for: there is no path after "@"'],
    [['--for', 'x=@empty', ...command], 'cannot submit with --for: there are no values in empty'],
    [['--for', 'x=@dos', ...command], 'cannot submit with --for: line 2 of dos ends with CR LF'],
    [['--for', 'x=@nul', ...command], 'cannot submit with --for: line 1 of nul contains a NUL byte'],
    [['--for', 'x=@latin', ...command], 'line 2 of latin is not UTF-8; nothing was submitted'],
    [['--for', 'x=@-', '--for', 'y=@-', ...command], 'cannot submit: stdin can contain the values of only one name'],
    [
      ['--for', 'x=@-', '--stdin', ...command],
      'cannot submit: stdin cannot contain both the values of --for and --stdin',
    ],
    [['--for', 'x=@-', '--script=-'], 'cannot submit: stdin cannot contain both the values of --for and --script'],
    [['--for', 'x=a b', 'echo "{x}"'], 'cannot submit with --for: {x} stands in quotes'],
    [['--array=1-3', '--stdin=missing', ...command], 'cannot submit: stdin'],
  ])('submit %j', async (words, message) => {
    const bench = await newQueue();
    write(bench, 'empty', '');
    write(bench, 'dos', 'a\nb\r\n');
    write(bench, 'nul', 'a\0b\n');
    write(bench, 'list', 'true\n');
    writeFileSync(join(bench.directory, 'latin'), Buffer.from('a\n\xe9\n', 'latin1'));
    const { status, stdout, stderr } = await bench.run(['QUEUE', 'submit', ...words], { input: 'a\nb\n' });
    expect({ status, stdout, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, stdout: '', lines: 1 });
    expect(stderr).toContain(message);
    expect(await bench.jobs()).toEqual([]);
    expect(await bench.must(['QUEUE', 'execute', 'SELECT * FROM arrays'])).toBe('--- []\n');
    expect(readdirSync(join(bench.queue, 'stdin'))).toEqual([]);
  });

  test('an array for a command that has one job', async () => {
    const bench = await newQueue();
    write(bench, 'a.sh', '#RQ --array 1-3\ntrue\n');
    for (const name of ['run', 'touch']) {
      const { status, stderr } = await bench.run(['QUEUE', name, '--script', 'a.sh']);
      const message = `rq: cannot ${name}: a.sh, line 1: the option --array is not allowed in a script; "${name}" has no such option\n`;
      expect({ status, stderr }).toEqual({ status: 2, stderr: message });
    }
    expect(await bench.jobs()).toEqual([]);
  });
});

describe('limits', () => {
  const name = 'x'.repeat(255);
  // As JSON: {"a":"…","b":"…","c":"…"} with 256 KiB.
  const last = 262_144 - 2 * 100_000 - '{"a":"","b":"","c":""}'.length;

  test.each([
    ['the highest index', ['--array=0,1000000000', 'true'], undefined],
    ['a longer name', ['--for', `${name}y=1`, 'true'], 'is longer than 255 bytes'],
    ['the longest name', ['--for', `${name}=1`, 'true'], undefined],
    ['the longest value', ['--for', 'x=@100000', 'true'], undefined],
    ['a longer value', ['--for', 'x=@100001', 'true'], 'line 1 of 100001 is longer than 100000 bytes'],
    [
      'the longest values of a task',
      ['--for', 'a=@100000', '--for', 'b=@100000', '--for', `c=@${last}`, 'true'],
      undefined,
    ],
    [
      'longer values of a task',
      ['--for', 'a=@100000', '--for', 'b=@100000', '--for', `c=@${last + 1}`, 'true'],
      'the values of one task have up to 262145 bytes as JSON; the limit is 262144',
    ],
    [
      'the longest command',
      ['--for', 'x=@95000', `#${'{x}'.repeat(11)}${'y'.repeat(1_048_576 - 11 * 95_000 - 1)}`],
      undefined,
    ],
    [
      'a longer command',
      ['--for', 'x=@95000', `#${'{x}'.repeat(11)}${'y'.repeat(1_048_576 - 11 * 95_000)}`],
      'cannot submit: the command of task 1 with the values {"x":',
    ],
  ])('%s', async (_, words, fault) => {
    const bench = await newQueue();
    for (const word of words) {
      const length = /=@(\d+)$/.exec(word)?.[1];
      if (length !== undefined) write(bench, length, `z\n${'z'.repeat(Number(length))}\n`.replace(/^z\n/, ''));
    }
    const { status, stderr } = await bench.run(['QUEUE', 'submit', '-q', ...words]);
    if (fault === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    else {
      expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, lines: 1 });
      expect(stderr).toContain(fault);
    }
    expect((await bench.counts())['total']).toBe(
      fault === undefined ? (words[0] === '--array=0,1000000000' ? 2 : 1) : 0,
    );
  });
});
