import { describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

const ADVICE = 'name another log with --log, or another directory with --dot_rq_dir';

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

describe('start ends with an error if the directory of its log cannot be created', () => {
  test.each([
    ['in HOME', [], { HOME: '/proc' }],
    ['named with --dot_rq_dir', ['--dot_rq_dir=/proc/rq/deep'], {}],
  ] as const)('%s', async (_, options, environment) => {
    const bench = await newQueue();
    const { status, stdout, stderr } = await bench.run(['QUEUE', 'start', ...options], { environment });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(new RegExp(`^rq: cannot create the log directory /\\S+: .+; ${ADVICE}\\n$`));
  });

  test('below a directory that was removed', async () => {
    const bench = await newQueue();
    const words = 'start --dot_rq_dir=/proc/self/cwd/log';
    const { stdout } = await bench.shell(`mkdir gone; cd gone; rmdir ../gone; rq ${bench.queue} ${words} 2>&1 || true`);
    // bash, which runs bin/rq, prints a line of its own there.
    expect(stdout.replace(/^shell-init: .*\n/, '')).toMatch(
      new RegExp(`^rq: cannot create the log directory /proc/self/cwd/log/\\S+: .+; ${ADVICE}\\n$`),
    );
  });
});
