import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { textWidth } from '../../../src/cli/output/forms/text-width.ts';
import { ROOT, Workbench } from '../../support/program.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = new Workbench();
  Object.assign(bench.environment, { COLUMNS: '' });
  await bench.must(['QUEUE', 'create']);
});

/** The output of a shell line, without stderr. */
async function output(line: string): Promise<string> {
  return (await bench.shell(line)).stdout;
}

/** The output of a shell line on a terminal with 60 columns. */
function onTerminal(line: string): string[] {
  const { stdout } = spawnSync('script', ['-qec', `stty cols 60; ${line}`, '/dev/null'], {
    cwd: bench.directory,
    env: { ...bench.environment, PATH: `${join(ROOT, 'bin')}:${bench.environment['PATH']}`, TERM: 'xterm' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return stdout.replaceAll('\r\n', '\n').split('\n').slice(0, -1);
}

describe('--plain', () => {
  test('prints the jids of submitted, listed, changed and deleted jobs, which other commands read', async () => {
    expect(await output("rq q submit --plain 'echo one'")).toBe('1\n');
    expect(await output("printf 'true\\nfalse\\n' | rq q submit --plain --tag x")).toBe('2\n3\n');
    expect(await output('rq q touch --plain --tag x false')).toBe('3\n');
    expect(await output('rq q list --plain')).toBe('1\n2\n3\n');
    expect(await output('rq q query --plain tag=x')).toBe('2\n3\n');
    expect(await output('rq q list tag=x --plain | rq q update --plain priority=4 -')).toBe('2\n3\n');
    expect(await output('rq q feed --until-empty -v1; rq q resubmit --plain 3 1')).toBe('1\n3\n');
    expect(await output('rq q list pending --plain | rq q delete --plain')).toBe('1\n3\n');
    expect(await bench.run(['QUEUE', 'list', '--plain', '7'])).toMatchObject({ status: 3, stdout: '' });
    expect(await output('jid=$(rq q submit --plain true); rq q list --plain -f command,tag,jid $jid')).toBe(
      'true\t\t4\n',
    );
  });

  test('prints one line for each job whatever its text, so that cut finds the fields', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '--note', 'a\tb\\n\nc', "printf '\\n'\necho two"]);
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    expect(await output('rq q list --plain -f note,jid,command | cut -f 2')).toBe('1\n2\n');
    expect(await output('printf %b "$(rq q list 1 --plain -f note)"')).toBe('a\tb\\n\nc');
    expect(await output('rq q list 1 --plain -f command')).toBe("printf '\\\\n'\\necho two\n");
  });

  test('prints the hosts of nodes', async () => {
    await bench.must(['QUEUE', 'start', '-q'], { environment: { RQ_HOST: 'alpha' } });
    expect(await output('rq q nodes --plain')).toBe('alpha\n');
    expect(await output('rq q nodes --plain -f state,host,login')).toBe('feeding\talpha\t\n');
    expect(await output('rq q nodes --table -f host,state')).toBe('host   state\nalpha  feeding\n');
    expect(parse(await output('rq q nodes'))).toMatchObject([{ host: 'alpha' }]);
    expect(await output('rq q nodes')).not.toContain('login');
    expect(await output('rq q nodes --full')).toContain('  login: null\n');
    expect(JSON.parse(await output('rq q nodes --full --json'))).toMatchObject([{ host: 'alpha', login: null }]);
    await bench.must(['QUEUE', 'stop'], { environment: { RQ_HOST: 'alpha' } });
  });
});

describe('--table', () => {
  test('fits the terminal or COLUMNS, and cuts nothing in a pipe', async () => {
    const command = `process --input ${'漢字/'.repeat(20)} --output results`;
    await bench.must(['QUEUE', 'submit', '-q', '--tag', 'night', command]);
    await bench.must(['QUEUE', 'submit', '-q', "echo '\u001b[31m'"]);
    const piped = await output('rq q list --table');
    expect(piped).toBe(
      'jid  state    runner  elapsed  exit_status  signal  tag    command\n' +
        `  1  pending${' '.repeat(40)}night  ${command}\n` +
        `  2  pending${' '.repeat(47)}echo '\\u001b[31m'\n`,
    );
    const shown = onTerminal('rq q list --table -f jid,tag,command');
    expect(shown.map(textWidth)).toEqual([19, 59, 29]);
    expect(shown[1]).toMatch(/^ {2}1 {2}night {2}process --input 漢字\/.*…$/);
    expect(onTerminal('env COLUMNS=30 rq q list --table -f jid,tag,command').map(textWidth)).toEqual([19, 29, 29]);
    expect((await output('COLUMNS=30 rq q list --table -f command | cat')).split('\n').map(textWidth)).toEqual([
      7, 29, 17, 0,
    ]);
    expect(await output('COLUMNS=none rq q list --table')).toBe(piped);
  });

  test('has only a header if no job is selected', async () => {
    expect(await bench.run(['QUEUE', 'list', 'dead', '--table', '-f', 'jid,tag'])).toMatchObject({
      status: 3,
      stdout: 'jid  tag\n',
    });
    expect(await output('rq q list --table -f jid,tag')).toBe('jid  tag\n');
  });
});

test('--full prints null for fields without a value, and the list can be submitted and selects its jobs', async () => {
  await bench.must(['QUEUE', 'submit', '-q', '--tag=x', '--priority=3', 'echo one']);
  const full = await output('rq q list --full');
  expect(full).toMatch(/^---\n-\n {2}jid: 1\n/);
  expect(full).toContain('\n  note: null\n');
  expect(await output('rq q list')).not.toContain('null');
  expect(JSON.parse(await output('rq q list --full --json'))).toEqual(parse(full));
  expect(parse(await output('rq q list --full | rq q submit -'))).toMatchObject([
    { jid: 2, tag: 'x', priority: 3, command: 'echo one' },
  ]);
  expect(await output('rq q list 1 --full | rq q update --plain tag=y -')).toBe('1\n');
  expect(await output('rq q list 2 --full | rq q delete --plain -')).toBe('2\n');
});

test('options that exclude each other are a usage error in one line, and change nothing', async () => {
  for (const words of [
    ['submit', '--plain', '--json', 'true'],
    ['submit', '--table', '--full', 'true'],
    ['submit', '--plain', '--table', '--', 'true'],
  ]) {
    const { status, stdout, stderr } = await bench.run(['QUEUE', ...words]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^rq: --\w+ and --\w+ exclude each other; give only one of them[:;].*\n$/);
  }
  expect(await bench.jobs()).toEqual([]);
  const environment = { RQ_OPTS: '--json' };
  expect(await bench.must(['QUEUE', 'submit', '--plain', 'true'], { environment })).toBe('1\n');
});
