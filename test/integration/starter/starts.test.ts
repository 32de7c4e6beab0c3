import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hangingDirectory, needsHangingDirectory } from '../../support/hanging-directory.ts';
import { linkOf, StarterHarness } from '../../support/starter-harness.ts';
import { waitFor } from '../../support/wait-for.ts';

const EXIT = 256;

test('a job finds its environment, directory and files', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.setEnvironment({ BASE: 'base', BOTH: 'base' });
  writeFileSync(starter.file('in'), 'text');
  const files = { stdin: starter.file('in'), stdout: starter.file('out'), stderr: starter.file('err') };
  starter.run('1.1', 'echo "$BASE $BOTH $PWD"; cat; echo problem >&2; exit 7', { ...files, env: { BOTH: 'own' } });
  expect(await starter.status('1.1')).toBe(7 * EXIT);
  expect(starter.read('out')).toBe(`base own ${starter.work}\ntext`);
  expect(starter.read('err')).toBe('problem\n');
});

test('PWD is the path of the directory as it was given, with its symbolic links', async () => {
  const starter = new StarterHarness();
  await starter.start();
  mkdirSync(starter.file('physical'));
  symlinkSync(starter.file('physical'), starter.file('logical'));
  starter.run('1.1', 'pwd; printenv PWD', { cwd: starter.file('logical'), stdout: starter.file('out') });
  await starter.status('1.1');
  expect(starter.read('out')).toBe(`${starter.file('logical')}\n${starter.file('logical')}\n`);
});

test('a job has a session, the default signals, no other descriptors, and is ended first when memory is short', async () => {
  const starter = new StarterHarness();
  await starter.start();
  const stdout = starter.file('out');
  const facts =
    'cut -d " " -f 6 /proc/$$/stat; grep -E "Sig(Ign|Blk)" /proc/self/status; ls /proc/$$/fd; cat /proc/$$/oom_score_adj';
  starter.run('1.1', `echo $$; ${facts}`, { stdout });
  await starter.status('1.1');
  const [pid, session, ...rest] = starter.read('out').trim().split('\n');
  expect(session).toBe(pid);
  expect(rest.join(' ').split(/\s+/)).toEqual([
    'SigBlk:',
    '0'.repeat(16),
    'SigIgn:',
    '0'.repeat(16),
    '0',
    '1',
    '2',
    '500',
  ]);
});

test('a job gets the umask and the soft limits of the request', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('limits', '027', 'nofile', '77', 'core', '0', 'stack', 'unlimited');
  starter.run('1.1', 'umask; ulimit -Sn; ulimit -Sc; ulimit -Ss', { stdout: starter.file('out') });
  await starter.status('1.1');
  expect(starter.read('out')).toBe('0027\n77\n0\nunlimited\n');
});

test('output files are truncated when the job begins, and one file for both outputs has one offset', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('slots', 1);
  writeFileSync(starter.file('out'), 'earlier output');
  const stdout = starter.file('out');
  starter.run('1.1', `until [ -e ${starter.file('go')} ]; do sleep 0.01; done`);
  starter.run('2.1', 'echo one; echo two >&2', { stdout, stderr: stdout });
  await starter.message('started', '1.1');
  // The child of the second job has opened its files.
  await starter.isAtGate(stdout);
  expect(starter.read('out')).toBe('earlier output');
  writeFileSync(starter.file('go'), '');
  await starter.status('2.1');
  expect(starter.read('out')).toBe('one\ntwo\n');
});

test('a job that was taken back at its gate never runs, also when the starter is killed', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('slots', 1);
  const [first, second] = [starter.file('first'), starter.file('second')];
  for (const path of [first, second]) writeFileSync(path, 'kept');
  starter.run('1.1', 'sleep 300');
  starter.run('2.1', 'echo ran', { stdout: first });
  starter.run('3.1', 'echo ran', { stdout: second });
  await starter.message('started', '1.1');
  const waits = (path: string): boolean => starter.processes().some((pid) => linkOf(pid, 1) === path);
  await waitFor(() => waits(first) && waits(second));
  starter.send('cancel', '2.1');
  expect(await starter.message('cancelled', '2.1')).toEqual(['cancelled', '2.1', 'request']);
  await waitFor(() => !waits(first));
  await starter.kill();
  await waitFor(() => !waits(second));
  expect([starter.read('first'), starter.read('second')]).toEqual(['kept', 'kept']);
  for (const pid of starter.processes()) process.kill(pid, 'SIGKILL');
  await waitFor(() => starter.processes().length === 0);
});

test('the step that failed and its error are reported', async () => {
  const starter = new StarterHarness();
  await starter.start();
  writeFileSync(starter.file('file'), '');
  symlinkSync(starter.file('file'), starter.file('link'));
  starter.run('1.1', 'true', { cwd: starter.file('missing') });
  starter.run('2.1', 'true', { cwd: starter.file('file') });
  starter.run('3.1', 'true', { stdin: starter.file('missing') });
  starter.run('4.1', 'true', { stdout: starter.work });
  starter.run('5.1', 'true', { stderr: starter.file('link') });
  starter.run('6.1', `${'x'.repeat(200_000)}`);
  for (const name of ['1.1', '2.1', '3.1', '4.1', '5.1', '6.1']) await starter.message('failed', name);
  const failures = new Map(
    starter.messages.filter(([type]) => type === 'failed').map(([, name, ...rest]) => [name, rest]),
  );
  expect(Object.fromEntries(failures)).toEqual({
    '1.1': ['directory', '2'],
    '2.1': ['directory', '20'],
    '3.1': ['stdin', '2'],
    '4.1': ['stdout', '21'],
    '5.1': ['stderr', '40'],
    '6.1': ['program', '7'],
  });
});

test('attempts begin in the order of their requests', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('slots', 1);
  const numbers = Array.from({ length: 100 }, (_, index) => index + 1);
  for (const number of numbers) starter.run(`${number}.1`, `echo ${number} >>order`);
  for (const number of numbers) expect(await starter.status(`${number}.1`)).toBe(0);
  expect(starter.read('order').trim().split('\n').map(Number)).toEqual(numbers);
});

test('attempts run within the slots, by their weights', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('slots', 4);
  const started = (): unknown[] => starter.messages.filter(([type]) => type === 'started').map(([, name]) => name);
  starter.run('1.1', 'until [ -e one ]; do sleep 0.01; done', { weight: 3 });
  await starter.message('started', '1.1');
  starter.run('2.1', 'until [ -e two ]; do sleep 0.01; done', { weight: 2 });
  starter.run('3.1', 'true', { cwd: starter.file('missing') });
  await starter.message('failed', '3.1');
  expect(started()).toEqual(['1.1']);
  writeFileSync(starter.file('one'), '');
  await starter.message('started', '2.1');
  // More than all slots: it runs alone.
  starter.run('4.1', 'true', { weight: 9 });
  starter.run('5.1', 'true', { cwd: starter.file('missing') });
  await starter.message('failed', '5.1');
  expect(started()).toEqual(['1.1', '2.1']);
  writeFileSync(starter.file('two'), '');
  expect(await starter.status('4.1')).toBe(0);
});

test('attempts that wait longer than ten seconds for a slot are taken back', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('slots', 1);
  starter.run('1.1', `until [ -e ${starter.file('go')} ]; do sleep 0.1; done`);
  starter.run('2.1', 'true');
  expect(await starter.message('cancelled', '2.1')).toEqual(['cancelled', '2.1', 'stale']);
  writeFileSync(starter.file('go'), '');
  await starter.status('1.1');
});

test('an invalid request ends the connection and not the starter', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.run('1.1', 'until [ -e go ]; do sleep 0.05; done');
  await starter.message('started', '1.1');
  for (const bytes of ['00000004000000ff', 'ffffffff', '0000000500000001aa', '0000000600000002aa00', '00000000']) {
    starter.sendBytes(Buffer.from(bytes, 'hex'));
    await starter.closed();
    expect(await starter.connect()).toHaveLength(1);
  }
  writeFileSync(starter.file('go'), '');
  expect(await starter.status('1.1')).toBe(0);
});

const hang = needsHangingDirectory('a job whose directory hangs delays no other and is taken back after a minute');

test.skipIf(hang.isSkipped)(hang.title, { timeout: 180_000 }, async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.send('slots', 1);
  mkdirSync(starter.file('plain'));
  const release = hangingDirectory(starter.file('hangs'));
  starter.run('1.1', 'echo late', { cwd: starter.file('hangs'), stdout: starter.file('out') });
  for (let jid = 2; jid < 22; jid += 1) starter.run(`${jid}.1`, 'echo ran', { stdout: starter.file(`out${jid}`) });
  for (let jid = 2; jid < 22; jid += 1) expect(await starter.status(`${jid}.1`)).toBe(0);
  expect(await starter.message('cancelled', '1.1', 90_000)).toEqual(['cancelled', '1.1', 'timeout']);
  writeFileSync(starter.file('out'), 'of another host');
  release();
  starter.run('30.1', 'true');
  expect(await starter.status('30.1')).toBe(0);
  await waitFor(() => starter.processes().filter((pid) => pid !== starter.pid).length === 0);
  expect(starter.read('out')).toBe('of another host');
});

test('jobs inherit no descriptor of the process that launched the starter', async () => {
  const starter = new StarterHarness();
  const descriptor = openSync(starter.work, 'r');
  await starter.start();
  closeSync(descriptor);
  expect([0, 1].map((place) => linkOf(starter.pid, place))).toEqual(['/dev/null', '/dev/null']);
});

test('a job whose directory is revalidated starts in it and finds nothing added', async () => {
  const starter = new StarterHarness();
  await starter.start();
  starter.run('1.1', 'pwd; ls -A', { flags: 'revalidate', stdout: starter.file('out') });
  expect(await starter.status('1.1')).toBe(0);
  expect(starter.read('out')).toBe(`${starter.work}\nout\n`);
  starter.run('2.1', 'true', { flags: 'revalidate', cwd: starter.file('missing') });
  expect(await starter.message('failed', '2.1')).toContain('directory');
});
