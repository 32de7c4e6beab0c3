import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ROOT, Workbench } from '../../support/program.ts';
import { offersOfFish, shellSkipReason, typeInBash, typeInZsh } from '../../support/typing.ts';

let bench: Workbench;
let environment: NodeJS.ProcessEnv;

beforeEach(async () => {
  bench = new Workbench();
  mkdirSync(join(bench.directory, 'bin'));
  symlinkSync(join(ROOT, 'bin/rq'), join(bench.directory, 'bin/rq'));
  environment = { ...bench.environment, PATH: `${join(bench.directory, 'bin')}:${process.env['PATH']}` };
  await bench.must(['QUEUE', 'create']);
  await bench.must(['my queue', 'create']);
  for (const tag of ['night1', 'a b$c', 'x:y']) await bench.must(['QUEUE', 'submit', '-q', '--tag', tag, 'true']);
  await bench.must(['my queue', 'submit', '-q', '--tag', 'spaced', 'echo a\necho b']);
  writeFileSync(join(bench.directory, 'afile'), '');
});

/** The answer of rq to a script: which file names to add, then the candidates. */
async function answer(line: string, more: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const words = ['completion', 'zsh', '--complete', '--', line];
  const { status, stdout, stderr } = await bench.run(words, { environment: more });
  expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: '' });
  return stdout.split('\n').map((each) => each.replace(/\t.*/, ''));
}

/** Typed lines, and the lines after the tab key. */
const LINES = [
  ['rq q statu', 'rq q status '],
  ['rq my', 'rq my\\ queue/'],
  ['rq comple', 'rq completion '],
  ['rq help subm', 'rq help submit '],
  ['rq q create --mode=g', 'rq q create --mode=group '],
  ['rq q create --mode g', 'rq q create --mode group '],
  ['rq q feed --max-f', 'rq q feed --max-feed '],
  ['rq q list dea', 'rq q list dead '],
  ['rq q list 1,fin', 'rq q list 1,finished '],
  ['rq q list exi', 'rq q list exit_status='],
  ['rq q list tag=n', 'rq q list tag=night1 '],
  ['rq q list tag=x:', 'rq q list tag=x:y '],
  ['rq q list tag=a', 'rq q list tag=a\\ b\\$c '],
  ['rq q list "tag=a', 'rq q list "tag=a b\\$c" '],
  ['rq my\\ queue list tag=', 'rq my\\ queue list tag=spaced '],
  ['rq "my queue" list tag=', 'rq "my queue" list tag=spaced '],
  ['rq ~/q submit --tag n', 'rq ~/q submit --tag night1 '],
  ['rq my\\ queue stdout ', 'rq my\\ queue stdout 1 '],
  ['rq q submit --infile af', 'rq q submit --infile afile '],
  ['rq q submit --infile=af', 'rq q submit --infile=afile '],
  ['rq nowhere list tag=', 'rq nowhere list tag='],
] as const;

test('bash completes words with quotes, blanks and the characters at which it breaks words', () => {
  const lines = LINES.map(([line]) => line);
  const typed = typeInBash({ lines, cwd: bench.directory, environment });
  expect(typed).toEqual(LINES.map(([, line]) => line));
});

const zshReason = shellSkipReason('zsh');
test.skipIf(zshReason !== undefined)(`zsh completes the same${zshReason ? ` (skipped: ${zshReason})` : ''}`, () => {
  const lines = LINES.map(([line]) => line);
  const typed = typeInZsh({ lines, cwd: bench.directory, environment });
  // zsh removes an added blank or slash when more is typed.
  const wanted = LINES.map(([, line]) => line.replace(/[ /]$/, ''));
  expect(typed.map((line) => line.replace(/[ /]$/, ''))).toEqual(wanted);
});

const fishReason = shellSkipReason('fish');
test.skipIf(fishReason !== undefined)(`fish offers the same${fishReason ? ` (skipped: ${fishReason})` : ''}`, () => {
  const offers = (line: string): string[] => offersOfFish(line, { cwd: bench.directory, environment });
  expect(offers('rq q statu')).toEqual(['status\tshow job and node status']);
  expect(offers('rq my')).toEqual(['my queue/\tDirectory']);
  expect(offers('rq q create --mode=g')).toEqual(['--mode=group']);
  expect(offers('rq q list "tag=a')).toEqual(['tag=a b$c']);
  expect(offers('rq my\\ queue stdout ')).toEqual(['1\tpending: echo a\\necho b']);
  expect(offers('rq q submit --infile=af')).toEqual(['--infile=afile']);
  expect(offers('rq nowhere list tag=')).toEqual([]);
});

describe('the scripts', () => {
  test('get the words that may come next', async () => {
    expect(await answer('rq ')).toEqual(['directories', 'help', 'version', 'completion', '']);
    expect(await answer('rq li', { RQ_Q: 'q' })).toEqual(['directories', 'list', '']);
    expect(await answer('rq li')).toEqual(['directories', '']);
    expect(await answer('rq q ')).toEqual(expect.arrayContaining(['none', 'submit', 'list', 'tail']));
    expect(await answer('rq q help')).toEqual(['none', '']);
    expect(await answer('rq completion ')).toEqual(['none', 'bash', 'zsh', 'fish', '']);
    expect(await answer('rq q lock s')).toEqual(['none', 'shared', '']);
    expect(await answer('rq q submit ')).toEqual(['files', '']);
    expect(await answer('rq q snapshot ')).toEqual(['directories', '']);
  });

  test('get states, keys, tags and the newest jids for a selection', async () => {
    const states = ['pending', 'holding', 'running', 'finished', 'dead', 'failed', 'all'];
    expect(await answer('rq q list ')).toEqual(['none', ...states, 'tag=', '3', '2', '1', '']);
    expect(await answer('rq q list p')).toEqual(['none', 'pending', 'priority=', 'pid=', 'paused=', '']);
    expect(await answer('rq q list 1-')).toEqual(['none', '1-3', '1-2', '1-1', '']);
    expect(await answer('rq q delete tag=')).toEqual(['none', 'tag=a b$c', 'tag=night1', 'tag=x:y', '']);
    expect(await answer('rq list tag=n', { RQ_Q: 'q' })).toEqual(['none', 'tag=night1', '']);
    expect(await answer('rq q stderr4 ')).toEqual(['none', '3', '2', '1', '']);
  });

  test('get the options of the command and their values', async () => {
    expect(await answer('rq q list --j')).toEqual(['none', '--json', '']);
    expect(await answer('rq q list -')).toEqual(expect.arrayContaining(['--json', '-f']));
    expect(await answer('rq q list --')).not.toContain('-f');
    expect(await answer('rq q list --prio')).toEqual(['none', '']);
    expect(await answer('rq q list -f jid,exit')).toEqual(['none', 'jid,exit_status', '']);
    expect(await answer('rq q status -f ex')).toEqual(['none', 'exit_status', '']);
    expect(await answer('rq q tail -f ')).toEqual(['none', '']);
    expect(await answer('rq q submit -qt ni')).toEqual(['none', 'night1', '']);
    expect(await answer('rq q submit --cwd ')).toEqual(['directories', '']);
    expect(await answer('rq q submit -- --pri')).toEqual(['files', '']);
  });

  test('get lanes, their keys, and hosts', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '--lane=gpu,disk', 'true']);
    await bench.must(['QUEUE', 'lane', 'net', 'limit=1']);
    writeFileSync(join(bench.queue, 'nodes', 'n4'), '---\nslots: 1\n');
    expect(await answer('rq q lane ')).toEqual(['none', 'disk', 'gpu', 'net', '']);
    expect(await answer('rq q lane gpu ')).toEqual(['none', 'limit=', 'paused=true', 'paused=false', '']);
    expect(await answer('rq q submit --lane gpu,d')).toEqual(['none', 'gpu,disk', '']);
    expect(await answer('rq q submit --lane=n')).toEqual(['none', '--lane=net', '']);
    expect(await answer('rq q drain ')).toEqual(['none', 'n4', '']);
  });

  test('get no candidates and no message if the queue cannot be read', async () => {
    writeFileSync(join(bench.directory, 'q', 'db'), 'damaged'.repeat(1000));
    expect(await answer('rq q list tag=')).toEqual(['none', '']);
    expect(await answer('rq nowhere stdout ')).toEqual(['none', '']);
    expect(await answer('rq q stdout "')).toEqual(['none', '']);
    expect(await answer('rq q list p')).toContain('pending');
  });
});
