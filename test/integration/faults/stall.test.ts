import { type ChildProcess, execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Ended, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** As if the queue were on another machine, with one second instead of ten. */
const WATCHED = { RQ_STALL_MS: '1000' };
const BLOCKED =
  /^rq: still waiting after \d+ s: \S+\/q does not answer: (?:reading|changing) \S+\/q\/db \(Ctrl-C to stop\)$/;

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

/** A queue whose database blocks every process that opens it: SQLite opens the journal, which is a pipe. */
async function blockedQueue(): Promise<Workbench> {
  const bench = await newQueue();
  execFileSync('mkfifo', [join(bench.queue, 'db-journal')]);
  return bench;
}

/** The text that a process has written to stderr so far. */
function stderrOf({ stderr }: ChildProcess): () => string {
  let text = '';
  stderr?.on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

interface Holder {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Holds a lock until it is released. Resolves when the lock is held. */
async function hold(bench: Workbench, kind: 'read' | 'write'): Promise<Holder> {
  const holder = bench.start(['QUEUE', 'lock', kind, '--', 'sh', '-c', 'touch held; exec sleep 1000']);
  const stderr = stderrOf(holder.child);
  const isHeld = (): boolean => existsSync(join(bench.directory, 'held'));
  await waitFor(() => isHeld() || holder.child.exitCode !== null);
  expect({ isHeld: isHeld(), stderr: stderr() }).toEqual({ isHeld: true, stderr: '' });
  return holder;
}

async function release({ child, ended }: Holder): Promise<void> {
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  await ended;
}

test.each([
  ['list'],
  ['status'],
  ['submit', 'true'],
  ['lock', 'read', '--', 'true'],
  ['tail', '1', '--lock-timeout', '2'],
])('a blocked rq q %s reports the wait, and --lock-timeout ends it with status 75', async (command, ...words) => {
  const bench = await blockedQueue();
  const limit = words.includes('--lock-timeout') ? [] : ['--lock-timeout', '2'];
  const { status, stdout, stderr } = await bench.run(['QUEUE', command, ...limit, ...words], { environment: WATCHED });
  const lines = stderr.trimEnd().split('\n');
  expect({ status, stdout }).toEqual({ status: 75, stdout: '' });
  expect(lines.slice(0, -1)).toEqual([expect.stringMatching(BLOCKED)]);
  expect(lines.at(-1)).toMatch(
    /^rq: cannot use \S+\/q: the file server has not answered for \d+ s \(.*\); try again, or wait longer with --lock-timeout$/,
  );
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s ends a blocked reader, with and without the second thread',
  async (signal) => {
    const bench = await blockedQueue();
    for (const environment of [WATCHED, {}]) {
      const { child, ended } = bench.start(['QUEUE', 'list'], { environment });
      const pid = child.pid ?? 0;
      // It waits for the other end of the pipe to be opened.
      await waitFor(() => /wait_for_partner|fifo_open/.test(readFileSync(`/proc/${pid}/wchan`, 'latin1')));
      child.kill(signal);
      expect(await ended).toMatchObject({ status: null, signal, stdout: '' });
    }
  },
);

test('a wait is reported at growing intervals, and not with verbosity 0', async () => {
  const bench = await blockedQueue();
  const limit = ['--lock-timeout', '5'];
  const loud = bench.run(['QUEUE', 'list', ...limit], { environment: WATCHED });
  const silent = bench.run(['QUEUE', 'list', '-v', '0', ...limit], { environment: WATCHED });
  expect((await loud).stderr.match(/^rq: still waiting after (\d+) s/gm)).toEqual([
    'rq: still waiting after 1 s',
    'rq: still waiting after 3 s',
  ]);
  expect((await silent).stderr).toMatch(/^rq: cannot use .*\n$/);
});

test.each([{}, WATCHED])('a process that waits for the lease reports its holder, and continues: %j', async (more) => {
  const bench = await newQueue();
  const holder = await hold(bench, 'write');
  const waiting = bench.start(['QUEUE', 'submit', '-q', 'true'], { environment: more });
  const stderr = stderrOf(waiting.child);
  if ('RQ_STALL_MS' in more) {
    await waitFor(() => stderr().includes('still waiting after 1 s: the lease of '));
    expect(stderr()).toMatch(
      new RegExp(
        `^rq: still waiting after 1 s: the lease of \\S+: lease\\.\\d+ is held by process ${holder.child.pid} on this host`,
      ),
    );
  }
  await release(holder);
  expect(await waiting.ended).toMatchObject({ status: 0 });
});

test('a stopped holder is reported with its pid', async () => {
  const bench = await newQueue();
  const holder = await hold(bench, 'write');
  holder.child.kill('SIGSTOP');
  const { status, stderr } = await bench.run(['QUEUE', 'submit', 'true', '--lock-timeout', '2'], {
    environment: WATCHED,
  });
  expect(status).toBe(75);
  expect(stderr).toContain(`is held by process ${holder.child.pid} on this host (Ctrl-C to stop)\n`);
  await release(holder);
});

test('a wait for a lock of SQLite is reported', async () => {
  const bench = await newQueue();
  const reader = await hold(bench, 'read');
  const { status, stderr } = await bench.run(['QUEUE', 'submit', 'true', '--lock-timeout', '3'], {
    environment: WATCHED,
  });
  expect(status).toBe(75);
  expect(stderr).toMatch(
    /^rq: still waiting after 1 s: SQLite's lock on \S+\/db: another process is reading or writing/,
  );
  await release(reader);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s leaves no lease behind', async (signal) => {
  const bench = await newQueue();
  const reader = await hold(bench, 'read');
  const writer = bench.start(['QUEUE', 'submit', 'true']);
  const isHeld = (): boolean => readdirSync(bench.queue).some((name) => /^lease\.\d+$/.test(name));
  await waitFor(isHeld);
  writer.child.kill(signal);
  expect(await writer.ended).toMatchObject({ status: null, signal });
  expect(isHeld()).toBe(false);
  await release(reader);
});

test('a feeder logs the wait, ignores the lock timeout, and continues', async () => {
  const bench = await newQueue();
  const log = join(bench.directory, 'log');
  const words = ['QUEUE', 'feed', `--log=${log}`, '--lock-timeout', '1', '--max_sleep', '1'];
  const feeder = bench.start(words, { environment: WATCHED });
  // An error during the start ends a feeder. Later it retries.
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await waitFor(async () => (await bench.counts())['finished'] === 1);
  // It searches for jobs only if the database has changed.
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  const journal = join(bench.queue, 'db-journal');
  execFileSync('mkfifo', [journal]);
  utimesSync(join(bench.queue, 'db'), new Date(), new Date());
  const isReportedAgain = /"level":40,.*still waiting after [3-9] s: \S+ does not answer: (?!.*Ctrl-C)/;
  await waitFor(() => isReportedAgain.test(readFileSync(log, 'utf8')));
  // Opens the other end of the pipe. SQLite ignores a journal without a header.
  const pipe = openSync(journal, constants.O_RDWR | constants.O_NONBLOCK);
  rmSync(journal);
  closeSync(pipe);
  await waitFor(() => /"level":40,.*continuing after/.test(readFileSync(log, 'utf8')));
  feeder.child.kill('SIGTERM');
  expect(await feeder.ended).toMatchObject({ status: 0 });
});
