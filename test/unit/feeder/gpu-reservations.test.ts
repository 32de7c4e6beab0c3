import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { GpuReservations } from '../../../src/feeder/gpus/gpu-reservations.ts';
import { HostGpus } from '../../../src/feeder/gpus/host-gpus.ts';
import { bootId } from '../../../src/job/host.ts';
import { processStartTime } from '../../../src/job/process.ts';
import { FeederEvents } from '../../../src/log/events.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { waitFor } from '../../support/wait-for.ts';

/** The runtime directories of two queues. */
function runtimes(): { root: string; one: string; other: string } {
  const root = join(temporaryDirectory(), 'run');
  const [one, other] = [join(root, 'one'), join(root, 'other')];
  for (const directory of [root, one, other]) mkdirSync(directory, { mode: 0o700 });
  return { root, one, other };
}

async function reserve(directory: string, wanted: readonly string[]): Promise<GpuReservations> {
  const reservations = new GpuReservations({ directory, queue: `${directory}/queue` }, wanted);
  await reservations.reserve();
  return reservations;
}

/** Makes this process the feeder of a runtime directory. */
function feedIn(directory: string): void {
  const record = { pid: process.pid, startTime: processStartTime(process.pid) };
  writeFileSync(join(directory, 'feeder.pid'), JSON.stringify(record));
}

/** Writes a journal with a running attempt that has this GPU. */
function runWith(directory: string, device: string, { boot = bootId(), pid = process.pid, ended = false } = {}): void {
  const key = { jid: 1, claim: 1 };
  const spawn = { type: 'spawn', ...key, started: '', monotonic_ms: 1, serial: 1, weight: 1, devices: [device] };
  const exit = { type: 'exit', ...key, started: '', finished: '', is_lost: false, exit_status: 0 };
  const start_time = processStartTime(process.pid);
  const lines = [{ journal: 'j', boot }, spawn, { type: 'started', ...key, pid, start_time }, ...(ended ? [exit] : [])];
  writeFileSync(join(directory, 'journal'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

describe('a GPU that another queue has reserved', () => {
  test('is taken while the feeder of that queue lives', async () => {
    const { one, other } = runtimes();
    await reserve(one, ['a', 'b']);
    feedIn(one);
    const { devices, taken } = await reserve(other, ['b', 'c']);
    expect([devices, [...taken]]).toEqual([['c'], [['b', `${one}/queue`]]]);
    rmSync(join(one, 'feeder.pid'));
    expect((await reserve(other, ['b', 'c'])).devices).toEqual(['b', 'c']);
  });

  test.each([
    ['runs', {}, true],
    ['has ended', { ended: true }, false],
    ['has the pid of another process', { pid: 1 }, false],
    ['ran before a reboot', { boot: 'earlier' }, false],
  ])('is taken while a job with it runs, whatever was killed: the job %s', async (_, attempt, isTaken) => {
    const { one, other } = runtimes();
    await reserve(one, ['MIG-GPU-1/2/0', 'b']);
    runWith(one, 'MIG-GPU-1/2/0', attempt);
    const { devices } = await reserve(other, ['MIG-GPU-1/2/0', 'b']);
    expect(devices).toEqual(isTaken ? ['b'] : ['MIG-GPU-1/2/0', 'b']);
  });

  test('is free if the file was damaged, or its runtime directory is gone', async () => {
    const { root, one, other } = runtimes();
    await reserve(one, ['a', 'b']);
    feedIn(one);
    writeFileSync(join(root, 'gpus', 'a'), '{"dir');
    expect((await reserve(other, ['a', 'b'])).devices).toEqual(['a']);
    rmSync(one, { recursive: true });
    expect((await reserve(other, ['a', 'b'])).devices).toEqual(['a', 'b']);
  });
});

test('a feeder gives up the GPUs that it no longer wants, except those of its jobs', async () => {
  const { root, one, other } = runtimes();
  await reserve(one, ['a', 'b', 'c']);
  feedIn(one);
  runWith(one, 'b');
  await reserve(one, ['a']);
  expect(readdirSync(join(root, 'gpus')).sort()).toEqual(['a', 'b']);
  expect((await reserve(other, ['a', 'b', 'c'])).devices).toEqual(['c']);
});

test('a host without GPUs has no files for them', async () => {
  const { root, one } = runtimes();
  expect((await reserve(one, [])).devices).toEqual([]);
  expect(readdirSync(root).sort()).toEqual(['one', 'other']);
});

test('a feeder gets the GPUs of another queue when the feeder of that queue has ended', async () => {
  const { one, other } = runtimes();
  await reserve(one, ['0', '1']);
  feedIn(one);
  const { gpus, warnings } = await HostGpus.reserve({
    choice: { kind: 'count', count: 3 },
    runtimeDirectory: other,
    queueDirectory: '/q',
    environment: {},
  });
  expect(warnings).toEqual([expect.stringContaining(`the queue ${one}/queue uses the GPUs 0, 1 of this host`)]);
  expect(gpus?.devices).toEqual(['2']);
  let changes = 0;
  if (gpus !== undefined) gpus.onChange = () => void changes++;
  gpus?.start(new FeederEvents(pino({ level: 'silent' })), 10);
  rmSync(join(one, 'feeder.pid'));
  await waitFor(() => changes === 1);
  expect(gpus?.devices).toEqual(['0', '1', '2']);
  gpus?.stop();
});
