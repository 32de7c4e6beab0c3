import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundleFixture, FixtureProcess } from '../../support/fixture.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FILES = 3_000;

async function queueWithEnded(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', 'echo one']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  return bench;
}

/** Makes a directory of many small files in the directory of the bench. */
function makeSet(bench: Workbench): void {
  mkdirSync(join(bench.directory, 'set'));
  for (let number = 0; number < FILES; number++) writeFileSync(join(bench.directory, 'set', String(number)), 'text');
}

/** Installs a program that creates the file `started` and hangs. Returns the PATH that finds it. */
function plantHanging(bench: Workbench, program: string): string {
  const folder = join(bench.directory, 'tools');
  mkdirSync(folder);
  const script = `#!/bin/sh\n[ "$1" = --version ] && exit\ntouch ${bench.directory}/started\nexec sleep 1000\n`;
  writeFileSync(join(folder, program), script, { mode: 0o755 });
  return `${folder}:${process.env['PATH'] ?? ''}`;
}

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s removes the copy that is being made by', (signal) => {
  test.each([
    ['backup saved', 'sync'],
    ['rotate saved', 'sync'],
    ['rotate saved.tgz', 'tar'],
  ])('%s, before it is complete', async (words, program) => {
    const bench = await queueWithEnded();
    const PATH = plantHanging(bench, program);
    const before = readdirSync(bench.directory);
    const { child, ended } = bench.start(['QUEUE', ...words.split(' ')], { environment: { PATH } });
    await waitFor(() => existsSync(join(bench.directory, 'started')));
    child.kill(signal);
    expect(await ended).toMatchObject({ signal });
    expect(readdirSync(bench.directory).filter((name) => name !== 'started')).toEqual(before);
    await bench.must(['QUEUE', 'rotate', 'later']);
    expect(await bench.must(['later', 'stdout', '1'])).toBe('one\n');
  });
});

describe('a signal removes the files that are being copied by', () => {
  test('backup', async () => {
    const bench = await queueWithEnded();
    makeSet(bench);
    await bench.must(['QUEUE', 'submit', '-q', '--data=set', 'true']);
    const before = readdirSync(bench.directory);
    const { child, ended } = bench.start(['QUEUE', 'backup', 'saved']);
    const temporary = await waitFor(() =>
      readdirSync(bench.directory).find((name) => /^\..*\.[0-9a-f-]{36}$/.test(name)),
    );
    await waitFor(() => {
      const data = join(bench.directory, temporary, 'data');
      return existsSync(data) && readdirSync(data).length > 0;
    });
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
    expect(readdirSync(bench.directory)).toEqual(before);
  });

  test('submit', async () => {
    const bench = await queueWithEnded();
    makeSet(bench);
    const staged = (): string[] => ['stdin', 'data'].flatMap((folder) => readdirSync(join(bench.queue, folder)));
    const { child, ended } = bench.start(['QUEUE', 'submit', '--stdin=set/1', '--data=set', 'true']);
    await waitFor(() => readdirSync(join(bench.queue, 'data')).length > 0);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ signal: 'SIGINT', stdout: '', stderr: '' });
    expect(staged()).toEqual([]);
    expect(await bench.jobs()).toHaveLength(1);
  });
});

test('a second signal ends a process whose files cannot be removed', async () => {
  const fixture = new FixtureProcess(await bundleFixture('hanging-clean-up'));
  try {
    await fixture.message();
    fixture.process.kill('SIGINT');
    await fixture.message();
    const exited = once(fixture.process, 'exit');
    fixture.process.kill('SIGINT');
    expect(await exited).toEqual([null, 'SIGINT']);
  } finally {
    await fixture.kill();
  }
});
