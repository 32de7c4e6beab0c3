import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { bundleFixture, FixtureProcess } from '../../support/fixture.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const processes: FixtureProcess[] = [];
const HELD = ['lease.1'];
const FREE = ['lease.1.free'];

afterEach(async () => {
  for (const each of processes.splice(0)) await each.kill();
});

async function hold(behaviour: string, directories: readonly string[]): Promise<FixtureProcess> {
  const holder = new FixtureProcess(await bundleFixture('lease-holder'), [behaviour, ...directories]);
  processes.push(holder);
  expect(await holder.message()).toEqual({ isHeld: true });
  return holder;
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s ends a process after it has released all leases',
  async (signal) => {
    const directories = [temporaryDirectory(), temporaryDirectory()];
    const holder = await hold('', directories);
    expect(directories.map((directory) => readdirSync(directory))).toEqual([HELD, HELD]);
    const exited = once(holder.process, 'exit');
    holder.process.kill(signal);
    expect(await exited).toEqual([null, signal]);
    expect(directories.map((directory) => readdirSync(directory))).toEqual([FREE, FREE]);
  },
);

test('a process that exits releases its lease', async () => {
  const directory = temporaryDirectory();
  const holder = await hold('exit', [directory]);
  if (holder.process.exitCode === null) await once(holder.process, 'exit');
  expect([holder.process.exitCode, readdirSync(directory)]).toEqual([3, FREE]);
});

test('a process that handles a signal itself keeps its lease', async () => {
  const directory = temporaryDirectory();
  const holder = await hold('listen', [directory]);
  const received = holder.message();
  holder.process.kill('SIGTERM');
  expect(await received).toEqual({ hasReceivedSignal: true });
  expect(readdirSync(directory)).toEqual(HELD);
});
