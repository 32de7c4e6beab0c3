import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandsOf } from '../../support/document.ts';
import { FakeCrontab } from '../../support/fake-crontab.ts';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** A bench with a crontab, and a function that runs shell commands with the bench as home directory. */
function prepare(): { bench: Workbench; crontab: FakeCrontab; run: (command: string) => string } {
  const bench = new Workbench();
  const crontab = new FakeCrontab(bench.directory);
  Object.assign(bench.environment, { PATH: `${join(ROOT, 'bin')}:${crontab.environment['PATH']}` });
  const run = (command: string): string =>
    execFileSync('bash', ['-c', command], { cwd: bench.directory, env: bench.environment, encoding: 'utf8' });
  return { bench, crontab, run };
}

test('every command of "Five minutes to a cluster" in the README works', async () => {
  const { bench, crontab, run } = prepare();
  writeFileSync(join(bench.directory, 'big.log'), 'line\n'.repeat(1000));
  writeFileSync(join(bench.directory, 'reduce'), '#!/bin/sh\necho reduced "$1"\n[ "$1" != data/7.fits ]\n', {
    mode: 0o755,
  });
  mkdirSync(join(bench.directory, 'data'));
  for (let number = 1; number <= 40; number++) writeFileSync(join(bench.directory, 'data', `${number}.fits`), '');

  const commands = commandsOf('README.md', 'Five minutes to a cluster');
  const statusIndex = commands.findIndex((command) => command.endsWith(' status'));
  expect(statusIndex).toBeGreaterThan(4);
  const [create = '', ...submitAndFeed] = commands.slice(0, statusIndex);
  run(create);
  writeFileSync(join(bench.queue, 'bin/python'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  for (const command of submitAndFeed) run(command);
  expect(crontab.content).toContain(`${bench.queue} start --quiet`);
  await waitFor(async () => (await bench.counts())['finished'] === 42);
  // No job is running at this point, so `list running` reports that.
  const [status, statusOfTag, running, tagged, output, again, move, ...others] = commands.slice(statusIndex);
  expect(others).toEqual([]);
  expect(run(status ?? '')).toContain('finished: 42');
  expect(run(statusOfTag ?? '')).toContain('  successes: 39\n  failures: 1\n');
  expect(() => run(running ?? '')).toThrow(/no job .* matches running/);
  expect(run(tagged ?? '').match(/state: finished/g)).toHaveLength(40);
  expect(run(output ?? '')).toMatch(/^reduced data\/\d+\.fits\n$/);
  expect(await bench.must(['QUEUE', 'stdout', '2'])).toBe('train.py --epochs 10\n');
  await bench.must(['QUEUE', 'cron', 'shutdown'], {}).catch(() => undefined);
  expect(run(again ?? '').match(/priority: 9/g)).toHaveLength(1);
  expect(run(move ?? '').match(/tag: night2/g)).toHaveLength(1);
});

test('every command of the tutorial works', async () => {
  const { bench, run } = prepare();
  for (const name of ['a', 'b']) writeFileSync(join(bench.directory, `${name}.csv`), 'x\ny\n');
  // Some commands of the tutorial need all jobs to have ended; it tells the reader to wait.
  const isDrained = async (): Promise<boolean> => {
    const { pending, running } = await bench.counts();
    return pending === 0 && running === 0;
  };
  const outputs = new Map<string, string>();
  for (const command of commandsOf('docs/tutorial.md')) {
    if (command.startsWith('export ')) {
      Object.assign(bench.environment, { RQ_Q: bench.queue });
      continue;
    }
    if (command.startsWith('rq list finished') || ['rq list failed', 'rq list tag=typo'].includes(command))
      await waitFor(isDrained);
    outputs.set(command, run(command));
  }
  const finished = outputs.get('rq list finished --fields jid,exit_status,runner,elapsed') ?? '';
  expect(finished.match(/exit_status: 0/g)).toHaveLength(7);
  expect(outputs.get('rq query tag=first | rq tail -')).toBe('first\n');
  expect(outputs.get('rq list failed')).toContain('tag: odd');
  expect(outputs.get('tail -n 1 merged.txt')).toBe('100\n');
  expect(readFileSync(join(bench.directory, 'merged.txt'), 'utf8').split('\n')).toHaveLength(51);
  expect(readFileSync(join(bench.directory, 'sorted.txt'), 'utf8')).toBe('y\nx\n');
  expect(existsSync(join(bench.directory, 'a.csv.gz'))).toBe(true);
  expect(existsSync(join(bench.directory, 'done.tgz'))).toBe(true);
  expect(existsSync(join(bench.directory, 'q.bak/db'))).toBe(true);
});
