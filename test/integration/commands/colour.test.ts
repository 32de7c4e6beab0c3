import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { ROOT, Workbench } from '../../support/program.ts';

const ESCAPE = '\u001b';
const SGR = new RegExp(`${ESCAPE}\\[\\d+m`, 'g');
const RED_RQ = `${ESCAPE}[31mrq:${ESCAPE}[39m`;
let bench: Workbench;

beforeEach(async () => {
  bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
});

/** The output of a shell line on a terminal. */
function onTerminal(line: string, environment: NodeJS.ProcessEnv = {}): string {
  const { stdout } = spawnSync('script', ['-qec', `rq() { ${join(ROOT, 'bin/rq')} "$@"; }; ${line}`, '/dev/null'], {
    cwd: bench.directory,
    env: { ...bench.environment, NO_COLOR: '', TERM: 'xterm', ...environment },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return stdout.replaceAll('\r\n', '\n');
}

test('jobs and reports on a terminal have coloured keys and states', async () => {
  const plain = await bench.must(['QUEUE', 'list']);
  const coloured = onTerminal('rq q list');
  expect(coloured).toContain(`${ESCAPE}[36mstate${ESCAPE}[39m: ${ESCAPE}[33mpending${ESCAPE}[39m\n`);
  expect(coloured.replaceAll(SGR, '')).toBe(plain);
  expect(onTerminal('rq q status')).toContain(`${ESCAPE}[36mjobs${ESCAPE}[39m:\n`);
});

test('pipes, JSON, paths, dumb terminals and NO_COLOR have no colour', () => {
  const words = ['rq q list | cat', 'rq q list --json', 'rq q stdout4 1', 'rq help', 'rq version'];
  for (const line of words) expect(onTerminal(line)).not.toContain(ESCAPE);
  expect(onTerminal('rq q list', { NO_COLOR: '1' })).toContain('\n  state: pending\n');
  expect(onTerminal('rq q list', { TERM: 'dumb' })).toContain('\n  state: pending\n');
  expect(onTerminal('rq nowhere list', { NO_COLOR: '1' })).toMatch(/^rq: no queue/);
});

test('stdout and stderr are coloured independently', () => {
  expect(onTerminal('rq nowhere list').startsWith(`${RED_RQ} no queue`)).toBe(true);
  expect(onTerminal('rq nowhere list 2>error')).toBe('');
  expect(readFileSync(join(bench.directory, 'error'), 'utf8')).toMatch(/^rq: no queue/);
  expect(onTerminal('rq q list 99 >list').startsWith(`${RED_RQ} cannot list: no job`)).toBe(true);
  expect(readFileSync(join(bench.directory, 'list'), 'utf8')).toBe('--- []\n');
  expect(onTerminal('rq q list 2>error')).toContain(ESCAPE);
});
