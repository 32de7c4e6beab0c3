import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** The commands of a section of the README: its indented lines. */
function commandsOf(title: string): string[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';
  return [...section.matchAll(/^ {4}(\S.*)$/gm)].map((match) => match[1] ?? '');
}

/** Stands for cron: keeps what it is given. */
const CRONTAB = '#!/bin/sh\n[ "$1" = - ] && cat >"$HOME/crontab"\n';

test('five minutes to a cluster: every command of the README does what it says', async () => {
  const bench = new Workbench();
  const bin = join(bench.directory, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'crontab'), CRONTAB, { mode: 0o755 });
  writeFileSync(join(bench.directory, 'big.log'), 'line\n'.repeat(1000));
  writeFileSync(join(bench.directory, 'reduce'), '#!/bin/sh\necho reduced "$1"\n', { mode: 0o755 });
  mkdirSync(join(bench.directory, 'data'));
  for (let number = 1; number <= 40; number++) writeFileSync(join(bench.directory, 'data', `${number}.fits`), '');
  const environment = { ...bench.environment, PATH: `${bin}:${ROOT}bin:${process.env['PATH']}` };
  const run = (command: string): string =>
    execFileSync('bash', ['-c', command], { cwd: bench.directory, env: environment, encoding: 'utf8' });

  const commands = commandsOf('Five minutes to a cluster');
  const looks = commands.findIndex((command) => command.endsWith(' status'));
  expect(looks).toBeGreaterThan(5);
  const [create = '', ...submitAndFeed] = commands.slice(0, looks);
  run(create);
  writeFileSync(join(bench.queue, 'bin/python'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  for (const command of submitAndFeed) run(command);
  expect(readFileSync(join(bench.directory, 'crontab'), 'utf8')).toBe(`*/15 * * * * rq ${bench.queue} start --quiet
`);
  await waitFor(async () => (await bench.counts())['finished'] === 42);
  // Nothing runs any more by now, and that is what this one says.
  const [status, running, tagged, output, ...others] = commands.slice(looks);
  expect(others).toEqual([]);
  expect(run(status ?? '')).toContain('finished: 42');
  expect(() => run(running ?? '')).toThrow(/no job .* matches running/);
  expect(run(tagged ?? '').match(/state: finished/g)).toHaveLength(40);
  expect(run(output ?? '')).toMatch(/^reduced data\/\d+\.fits\n$/);
  expect(await bench.must(['QUEUE', 'stdout', '2'])).toBe('train.py --epochs 10\n');
  await bench.must(['QUEUE', 'shutdown']);
});
