import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

async function queueWithEnded(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', 'echo one']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  return bench;
}

/** Runs a command of rq in a directory that was removed. It has to succeed. Returns what it prints. */
async function rqThere(bench: Workbench, words: string): Promise<{ stdout: string; stderr: string }> {
  const { stdout, stderr } = await bench.shell(`mkdir -p gone; cd gone; rmdir ../gone; rq ${bench.queue} ${words}`);
  // bash, which runs bin/rq, prints a line of its own there.
  return { stdout, stderr: stderr.replace(/^shell-init: .*\n/, '') };
}

describe('in a directory that was removed,', () => {
  test.each(['backup saved', 'rotate saved', 'rotate saved.tgz', 'snapshot saved'])(
    'a copy is made: %s',
    async (words) => {
      const bench = await queueWithEnded();
      const target = words.replace('saved', `${bench.directory}/saved`);
      expect((await rqThere(bench, target)).stderr).toBe('');
      expect(existsSync(target.split(' ')[1] ?? '')).toBe(true);
    },
  );

  test('lock and ioview run the program', async () => {
    const bench = await queueWithEnded();
    expect((await rqThere(bench, 'lock read -- echo run')).stdout).toBe('run\n');
    expect((await rqThere(bench, "ioview 1 --editor 'grep -h one'")).stdout).toBe('one\n');
    const missing = await rqThere(bench, 'lock read -- nosuch || [ $? = 127 ]');
    expect(missing.stderr).toBe('rq: cannot run nosuch: no such program\n');
  });

  test('data is copied into a queue of a group, and read-only data is removed', async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create', '--mode=group']);
    await bench.shell('mkdir -p set/deep && chmod a-w set/deep');
    await rqThere(bench, `submit -q --cwd=/ --data=${bench.directory}/set true`);
    await rqThere(bench, 'delete -q 1');
    expect(await bench.jobs()).toEqual([]);
  });

  test('start, restart, shutdown and stop control a feeder', async () => {
    const bench = await queueWithEnded();
    for (const words of ['start', 'restart', 'shutdown', 'start', 'stop', 'stop']) {
      const { stderr } = await rqThere(bench, `${words} -v2`);
      expect([words, stderr]).toEqual([words, '']);
    }
  });

  test('doctor checks the locks', async () => {
    const bench = await queueWithEnded();
    const { stdout } = await rqThere(bench, 'doctor --json || true');
    expect(JSON.parse(stdout)).toMatchObject({ checks: { locks: 'ok' } });
  });
});

test('a feeder whose directory was removed restarts in the foreground', async () => {
  const bench = await queueWithEnded();
  const cwd = join(bench.directory, 'gone');
  mkdirSync(cwd);
  const feeder = bench.start(['../q', 'feed', '-v1'], { cwd });
  await waitFor(async () => (await bench.run(['QUEUE', 'pid'])).status === 0);
  rmdirSync(cwd);
  await bench.must(['QUEUE', 'submit', '-q', '--cwd=/', `until [ -e ${bench.directory}/go ]; do sleep 0.05; done`]);
  await waitFor(async () => (await bench.jobs('running')).length === 1);
  for (let round = 0; round < 2; round++) {
    const { pid, before } = JSON.parse(await bench.must(['QUEUE', 'restart', '--json'])) as Record<string, number>;
    expect(pid).not.toBe(before);
  }
  writeFileSync(join(bench.directory, 'go'), '');
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  await bench.must(['QUEUE', 'shutdown', '-v1']);
  expect(await feeder.ended).toMatchObject({ status: 0, stderr: '' });
});
