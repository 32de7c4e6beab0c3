import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { acquirePidFile, readFeeder, releasePidFile } from '../../../src/feeder/runtime/pid-file.ts';
import { processStartTime } from '../../../src/job/process.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const record = { since: '2026-01-01T00:00:00.000Z', slots: 1, host: 'here', queue: '/q' };

/** A private directory below a private directory. */
function runtimeDirectory(): string {
  const directory = join(temporaryDirectory(), 'runtime');
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

/** The claim of another process, as it has it while it acquires the pid file. */
function claimOf(directory: string, pid: number, startTime: number): string {
  const claim = join(directory, `feeder.pid.${pid}.${startTime}`);
  writeFileSync(claim, JSON.stringify({ pid, startTime, ...record }));
  return claim;
}

test('the pid file names this process until it is released, and nothing else remains', async () => {
  const directory = runtimeDirectory();
  await acquirePidFile(directory, record);
  expect(readFeeder(directory)).toMatchObject({ pid: process.pid, slots: 1 });
  expect(readdirSync(directory)).toEqual(['feeder.pid']);
  releasePidFile(directory);
  expect(readdirSync(directory)).toEqual([]);
});

test('the claim of a process that runs refuses another feeder, even if both hold the lock', async () => {
  const directory = runtimeDirectory();
  const other = spawn('sleep', ['100']);
  onTestFinished(() => void other.kill());
  const pid = other.pid ?? 0;
  const claim = claimOf(directory, pid, processStartTime(pid) ?? 0);
  await expect(acquirePidFile(directory, record)).rejects.toMatchObject({ code: 'FEEDER_EXISTS', facts: { pid } });
  expect(readdirSync(directory)).toEqual([claim.slice(directory.length + 1)]);
});

test('the claim of a killed process is removed', async () => {
  const directory = runtimeDirectory();
  const claim = claimOf(directory, process.pid + 1_000_000, 1);
  await acquirePidFile(directory, record);
  expect(existsSync(claim)).toBe(false);
  releasePidFile(directory);
});
