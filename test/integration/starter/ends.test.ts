import { readdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { processStartTime } from '../../../src/job/process.ts';
import { readProcess, StarterHarness } from '../../support/starter-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const SIGKILL = 9;
const SIGTERM = 15;

// RQ_DAEMONS=10000 is the long run.
const DAEMONS = Number(process.env['RQ_DAEMONS'] ?? 300);

test('an attempt is ended whole, also its processes that left its session and cleared their environment', async () => {
  const starter = new StarterHarness();
  await starter.start();
  const hidden = `exec -a ${starter.root}/hidden sleep 300`;
  starter.run('1.1', `setsid setsid env -i bash -c '${hidden}' & sleep 300`);
  await starter.message('started', '1.1');
  await waitFor(() => starter.processes().some((pid) => readProcess(pid, 'cmdline').includes('/hidden')));
  starter.send('end', '1.1', SIGTERM, 5000);
  expect(await starter.status('1.1')).toBe(SIGTERM);
  expect(starter.processes()).toEqual([starter.pid]);
});

test('processes that ignore SIGTERM are killed after the grace period, and hold the slot until they are gone', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('slots', 1);
  // The leader ends at once, its child does not.
  starter.run('1.1', '(trap "" TERM; : >ready; while :; do sleep 0.05; done) & wait');
  await waitFor(() => readdirSync(starter.work).includes('ready'));
  starter.send('end', '1.1', SIGTERM, 700);
  await starter.message('signalled', '1.1');
  starter.run('2.1', 'true');
  expect(await starter.status('2.1')).toBe(0);
  const types = starter.messages.map(([type, name]) => `${type} ${name}`);
  expect(types.indexOf('ended 1.1')).toBeLessThan(types.indexOf('started 2.1'));
  expect(await starter.status('1.1')).toBe(SIGTERM);
  expect(starter.processes()).toEqual([starter.pid]);
});

test('a stopped process and one that forks all the time are ended', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.run('1.1', 'trap "" TERM; sleep 300 & kill -STOP $!; while :; do (setsid sleep 300 &); sleep 0.01; done');
  await starter.message('started', '1.1');
  await waitFor(() => starter.processes().length > 10);
  starter.send('end', '1.1', SIGTERM, 50);
  expect(await starter.status('1.1')).toBe(SIGKILL);
  expect(starter.processes()).toEqual([starter.pid]);
});

test('many attempts are ended at once', async () => {
  const starter = new StarterHarness();
  await starter.start();
  const names = Array.from({ length: 100 }, (_, index) => `${index + 1}.1`);
  for (const name of names) starter.run(name, 'trap "" TERM; sleep 300 & wait; sleep 300');
  for (const name of names) await starter.message('started', name);
  for (const name of names) starter.send('end', name, SIGTERM, 200);
  for (const name of names) expect(await starter.status(name)).toBe(SIGKILL);
  expect(starter.processes()).toEqual([starter.pid]);
});

test('a signal reaches all processes of an attempt, and none when it has ended', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.run(
    '1.1',
    '(setsid bash -c "trap \'echo two >>out; exit\' USR1; touch ready; while :; do sleep 0.05; done" &); trap "echo one >>out; exit 3" USR1; while :; do sleep 0.05; done',
  );
  await waitFor(() => readdirSync(starter.work).includes('ready'));
  starter.send('signal', '1.1', 10);
  await starter.message('signalled', '1.1');
  expect(await starter.status('1.1')).toBe(3 * 256);
  await waitFor(() => starter.read('out').split('\n').length === 3);
  starter.send('signal', '1.1', 10);
  await waitFor(() => starter.messages.some(([type, , count]) => type === 'signalled' && count === '0'));
});

test('the processes that a job leaves behind are counted and live on', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.run(
    '1.1',
    '(sleep 300 &); setsid bash -c "sleep 300 & : >ready; wait" & until [ -e ready ]; do sleep 0.01; done',
  );
  const ended = await starter.message('ended', '1.1');
  expect(ended.slice(2, 3)).toEqual(['0']);
  expect(ended[7]).toBe('3');
  starter.run('2.1', 'true');
  expect((await starter.message('ended', '2.1'))[7]).toBe('0');
  const left = starter.processes().filter((pid) => pid !== starter.pid);
  expect(left).toHaveLength(3);
  for (const pid of left) process.kill(pid, 'SIGKILL');
});

test('jobs that leave daemons behind leave no zombie and no descriptor', {
  timeout: 120_000 + DAEMONS * 50,
}, async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('slots', 4);
  const jobs = DAEMONS;
  const descriptors = (): number => readdirSync(`/proc/${starter.pid}/fd`).length;
  starter.run('100000.1', 'true');
  await starter.status('100000.1');
  starter.send('ack', '100000.1');
  const before = descriptors();
  for (let first = 1; first <= jobs; first += 50) {
    const names = Array.from({ length: Math.min(50, jobs - first + 1) }, (_, index) => `${first + index}.1`);
    for (const name of names) starter.run(name, '(setsid sleep 1000 &); (setsid true &)');
    for (const name of names) await starter.status(name);
    starter.send('ack', ...names);
    starter.messages = [];
  }
  await waitFor(() => childrenOf(starter.pid).every((pid) => !/\) Z /.test(readProcess(pid, 'stat'))));
  await waitFor(() => descriptors() === before);
  const daemons = starter.processes().filter((pid) => readProcess(pid, 'cmdline').startsWith('sleep'));
  expect(daemons).toHaveLength(jobs);
  for (const pid of daemons) process.kill(pid, 'SIGKILL');
  await waitFor(() => childrenOf(starter.pid).length === 0);
});

test('the ends are kept for the next runner, and SIGTERM has no effect until it has them', async () => {
  const starter = new StarterHarness();
  await starter.start();
  const names = Array.from({ length: 50 }, (_, index) => `${index + 1}.1`);
  for (const name of names) {
    starter.run(name, `until [ -e go ]; do sleep 0.05; done; exit ${name.split('.')[0]}`);
  }
  for (const name of names) await starter.message('started', name);
  starter.disconnect();
  process.kill(starter.pid, 'SIGTERM');
  process.kill(starter.pid, 'SIGHUP');
  writeFileSync(starter.file('go'), '');
  await waitFor(() => childrenOf(starter.pid).length === 0);
  const list = await starter.connect();
  const statuses = list.filter(([type]) => type === 'ended').map(([, name, status]) => [name, Number(status) / 256]);
  expect(statuses.sort()).toEqual(names.map((name) => [name, Number(name.split('.')[0])]).sort());
  starter.send('ack', ...names);
  starter.messages = [];
  expect(await starter.connect()).toEqual([]);
});

test('the processor time and the memory of an attempt are reported', async () => {
  const starter = new StarterHarness();
  await starter.start();
  const python = 'x = bytearray(60_000_000); sum(range(2_000_000)); open("ready", "w"); import time; time.sleep(300)';
  starter.run('1.1', `python3 -c '${python}' & wait`);
  await waitFor(() => readdirSync(starter.work).includes('ready'));
  starter.send('sample');
  const [, , sampled] = await starter.message('memory', '1.1');
  expect(Number(sampled)).toBeGreaterThan(60e6);
  starter.messages = [];
  starter.send('sample', '1.1');
  const [, , exact] = await starter.message('memory', '1.1');
  expect(Number(exact)).toBeGreaterThan(60e6);
  starter.run('2.1', 'for ((n = 0; n < 200000; n++)); do :; done');
  const [, , , , memory, user] = await starter.message('ended', '2.1');
  expect(Number(memory)).toBeGreaterThan(1e6);
  expect(Number(user)).toBeGreaterThan(10_000);
  starter.send('end', '1.1', SIGKILL, 0);
  await starter.status('1.1');
});

test('a new starter adopts the attempts of one that was killed', async () => {
  const starter = new StarterHarness();
  await starter.start();
  const serials = [1, 2, 3, 4].map((number) => number + 1_000_000 + process.pid);
  for (const [index, serial] of serials.entries()) starter.run(`${index + 1}.1`, 'sleep 300 & wait; exit', { serial });
  for (const index of serials.keys()) await starter.message('started', `${index + 1}.1`);
  const [, , pid = '', startTime = ''] = await starter.message('started', '1.1');
  const [, , lastPid = ''] = await starter.message('started', '4.1');
  await starter.kill();
  process.kill(-Number(lastPid), 'SIGKILL');
  await waitFor(() => processStartTime(Number(lastPid)) === undefined);
  await starter.launch();
  await starter.connect();
  starter.send('adopt', '1.1', serials[0] ?? 0, 1, 'JOURNAL.1.1', pid, startTime);
  starter.send('adopt', '2.1', serials[1] ?? 0, 1, '', 0, 0);
  starter.send('adopt', '3.1', 1, 1, 'JOURNAL.3.1', 0, 0);
  starter.send('adopt', '4.1', serials[3] ?? 0, 1, 'JOURNAL.4.1', lastPid, 0);
  expect(await starter.message('adopted', '1.1')).toEqual(['adopted', '1.1', pid, startTime]);
  await starter.message('adopted', '2.1');
  const third = await starter.message('adopted', '3.1');
  await starter.message('gone', '4.1');
  process.kill(Number(third[2]), 'SIGKILL');
  expect((await starter.message('ended', '3.1'))[2]).toBe('');
  // The session of the killed leader still has a process, which no request names.
  for (const left of starter.processes()) {
    if (readProcess(left, 'environ').includes('RQ_ATTEMPT_ID=JOURNAL.3.1')) process.kill(left, 'SIGKILL');
  }
  for (const name of ['1.1', '2.1']) starter.send('end', name, SIGTERM, 3000);
  for (const name of ['1.1', '2.1']) expect((await starter.message('ended', name))[2]).toBe('');
  expect(starter.processes()).toEqual([starter.pid]);
});

function childrenOf(pid: number): number[] {
  return readProcess(pid, `task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
}
