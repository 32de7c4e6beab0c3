import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processStartTime } from '../../../src/job/process.ts';
import type { Exit } from '../../../src/runner/protocol/messages.ts';
import { type Connected, RunnerHarness } from '../../support/runner-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

async function run(
  harness: RunnerHarness,
  { client, exits }: Connected,
  ...job: Parameters<RunnerHarness['job']>
): Promise<Exit> {
  await client.spawn(harness.job(...job));
  return await waitFor(() => exits.get(job[0]));
}

test('the exit status of a job is reported', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  const { pid, started } = await connected.client.spawn(harness.job(1, 'sleep 0.05; exit 42'));
  const exit = await waitFor(() => connected.exits.get(1));
  expect(exit).toMatchObject({ jid: 1, claim: 1, pid, started, exit_status: 42, signal: null, reason: null });
  expect(exit.isLost).toBe(false);
  expect(exit.elapsed).toBeGreaterThanOrEqual(0.05);
  expect(Date.parse(exit.finished)).toBeGreaterThanOrEqual(Date.parse(exit.started));
});

test('a job ended by a signal has the name of the signal and no exit status', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  const exit = await run(harness, connected, 1, 'kill -SEGV $$; sleep 60');
  expect(exit).toMatchObject({ exit_status: null, signal: 'SIGSEGV', reason: null });
});

test('a command that starts with a dash or a plus is not taken for an option of bash', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  for (const [index, command] of ['-dashprog x', '+x', '--version', '-c "echo wrong"'].entries()) {
    expect(await run(harness, connected, index + 1, command)).toMatchObject({ exit_status: 127 });
    expect(harness.read(`out.${index + 1}`)).toBe('');
  }
  await run(harness, connected, 9, 'echo "$0" $#');
  expect(harness.read('out.9')).toBe('bash 0\n');
});

test('a job reads its stdin file, and its output files are truncated first', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  writeFileSync(harness.file('in'), 'from the file');
  writeFileSync(harness.file('out.1'), 'the output of an earlier attempt, longer than the output of this one');
  const exit = await run(harness, connected, 1, 'cat; echo problem >&2; pwd >> where', { stdin: harness.file('in') });
  expect(exit.exit_status).toBe(0);
  expect([harness.read('out.1'), harness.read('err.1'), harness.read('where')]).toEqual([
    'from the file',
    'problem\n',
    `${harness.work}\n`,
  ]);
});

test('a job without files has /dev/null, and stdout and stderr can share one file', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  const nowhere = { stdin: null, stdout: null, stderr: null };
  await run(harness, connected, 1, 'readlink /proc/$$/fd/{0,1,2} > fds', nowhere);
  expect(harness.read('fds')).toBe('/dev/null\n/dev/null\n/dev/null\n');
  await run(harness, connected, 2, 'echo one; echo two >&2; echo three', { stderr: harness.file('out.2') });
  expect(harness.read('out.2')).toBe('one\ntwo\nthree\n');
});

test('a job inherits only its three files, and leads its own session', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  const exit = await run(harness, connected, 1, 'readlink /proc/$$/fd/* | sort; ps -o sid=,pgid= -p $$');
  const words = harness.read('out.1').trim().split(/\s+/);
  expect(words.slice(-2)).toEqual([`${exit.pid}`, `${exit.pid}`]);
  // Files that every process of the machine inherits do not count.
  const opened = words.filter((word) => word.startsWith(harness.root) || word.startsWith('socket:'));
  expect(opened).toEqual([harness.file('err.1'), harness.file('out.1')]);
});

test('the environment is the base environment plus that of the spawn plus the id of the attempt', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  const { client } = connected;
  await client.environment({ PATH: process.env['PATH'] ?? '', RQT_HARNESS: harness.root, A: 'base', B: 'base' });
  await run(harness, connected, 1, 'echo $A $B $HOME $RQ_ATTEMPT_ID', { env: { B: 'added' } });
  expect(harness.read('out.1')).toBe(`base added ${client.hello.journal}.1.1\n`);
});

test('a command of 1 MiB runs, and its script is removed afterwards', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  const text = 'ä'.repeat(500_000);
  const exit = await run(harness, connected, 1, `ls ${harness.directory}/scripts; x=${text}; echo \${#x}; exit 3`, {
    env: { LC_ALL: 'C.UTF-8' },
  });
  expect(exit).toMatchObject({ exit_status: 3 });
  expect(harness.read('out.1')).toBe('1.1\n500000\n');
  expect(readdirSync(join(harness.directory, 'scripts'))).toEqual([]);
});

test('the attempt ends with a reason if its directory cannot be entered', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  writeFileSync(harness.file('plain'), '');
  const reply = await connected.client.spawn(harness.job(1, 'touch ran', { cwd: '/nowhere/at/all' }));
  expect(reply.pid).toBeNull();
  const missing = await waitFor(() => connected.exits.get(1));
  const reason = 'cannot enter the directory /nowhere/at/all: no such file or directory';
  expect(missing).toMatchObject({ pid: null, exit_status: null, signal: null, reason, isLost: false });
  const plain = await run(harness, connected, 2, 'touch ran', { cwd: harness.file('plain') });
  expect(plain.reason).toBe(`cannot enter the directory ${harness.file('plain')}: not a directory`);
  expect(existsSync(harness.file('ran'))).toBe(false);
});

test('the attempt ends with a reason that names the file if a file cannot be opened', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  writeFileSync(harness.file('precious'), 'precious');
  symlinkSync(harness.file('precious'), harness.file('planted'));
  execFileSync('mkfifo', [harness.file('pipe')]);
  const reasonOf = async (jid: number, changes: object): Promise<string | null> =>
    (await run(harness, connected, jid, 'touch ran', changes)).reason;
  expect(await reasonOf(1, { stdin: harness.file('no') })).toBe(
    `cannot open stdin ${harness.file('no')}: no such file or directory`,
  );
  expect(await reasonOf(2, { stdout: harness.file('planted') })).toBe(
    `cannot open stdout ${harness.file('planted')}: a symbolic link`,
  );
  expect(await reasonOf(3, { stderr: harness.work })).toContain('illegal operation on a directory');
  expect(await reasonOf(4, { stdin: harness.work })).toContain('not a regular file');
  expect(await reasonOf(5, { stdin: harness.file('pipe') })).toContain('not a regular file');
  expect(await reasonOf(6, { stdout: harness.file('pipe') })).toContain('cannot open stdout');
  expect(harness.read('precious')).toBe('precious');
  expect(existsSync(harness.file('ran'))).toBe(false);
});

test('the attempt ends with a reason if the command or the environment cannot be passed to bash', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  expect((await run(harness, connected, 1, 'echo a\0b')).reason).toBe(
    'cannot run the command: it contains a NUL character',
  );
  const tooLarge = await run(harness, connected, 2, 'true', { env: { LARGE: 'x'.repeat(200_000) } });
  expect(tooLarge.reason).toBe('cannot start bash: argument list too long');
});

test('a signal is sent to all processes of a job', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  await connected.client.spawn(harness.job(1, 'sleep 600 & sleep 601 & echo $!; wait'));
  await waitFor(() => harness.read('out.1') !== '');
  await connected.client.signal({ jid: 1, claim: 1, signal: 'SIGTERM' });
  expect(await waitFor(() => connected.exits.get(1))).toMatchObject({ signal: 'SIGTERM' });
  await waitFor(() => processStartTime(Number(harness.read('out.1'))) === undefined);
});

test('a job that ignores TERM is killed after the grace period', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  await connected.client.spawn(harness.job(1, 'trap "" TERM; echo ready; while :; do sleep 0.1; done'));
  await waitFor(() => harness.read('out.1') !== '');
  await connected.client.signal({ jid: 1, claim: 1, signal: 'SIGTERM', graceMs: 300 });
  const exit = await waitFor(() => connected.exits.get(1));
  expect(exit).toMatchObject({ exit_status: null, signal: 'SIGKILL' });
  expect(exit.elapsed).toBeGreaterThanOrEqual(0.3);
});

test('processes that are left when the leader has ended are killed after the grace period', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  await connected.client.spawn(harness.job(1, '(trap "" TERM; echo $BASHPID; while :; do sleep 0.1; done) & wait'));
  await waitFor(() => harness.read('out.1') !== '');
  const stubborn = Number(harness.read('out.1'));
  await connected.client.signal({ jid: 1, claim: 1, signal: 'SIGTERM', graceMs: 300 });
  expect(await waitFor(() => connected.exits.get(1))).toMatchObject({ signal: 'SIGTERM' });
  await waitFor(() => processStartTime(stubborn) === undefined);
});

test('background processes of a job that ended by itself continue to run', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  await run(harness, connected, 1, 'sleep 600 & echo $!');
  const left = Number(harness.read('out.1'));
  await run(harness, connected, 2, 'true');
  expect(processStartTime(left)).toBeDefined();
  process.kill(left, 'SIGKILL');
  await waitFor(() => processStartTime(left) === undefined);
});

test('a signal to an attempt that is not running fails', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  await run(harness, connected, 1, 'true');
  for (const key of [
    { jid: 1, claim: 1 },
    { jid: 9, claim: 1 },
  ]) {
    const refused = connected.client.signal({ ...key, signal: 'SIGTERM' });
    await expect(refused).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'NO_ATTEMPT' } });
  }
});

test('an attempt is never started twice, but the next attempt of the job is started', async () => {
  const harness = new RunnerHarness();
  const connected = await harness.start();
  const { client } = connected;
  await run(harness, connected, 1, 'echo ran >> times');
  const again = client.spawn(harness.job(1, 'echo ran >> times'));
  await expect(again).rejects.toMatchObject({ code: 'RUNNER', facts: { code: 'ATTEMPT_KNOWN' } });
  await client.spawn(harness.job(1, 'echo ran >> times', { claim: 2 }));
  await waitFor(() => connected.exits.get(1)?.claim === 2);
  expect(harness.read('times')).toBe('ran\nran\n');
});
