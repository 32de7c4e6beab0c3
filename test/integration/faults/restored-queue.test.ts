import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const RESTORED = 'the queue was restored from a copy';

interface Method {
  /** Copies the queue. */
  readonly copy: (bench: Workbench, path: string) => Promise<unknown> | undefined;
  /** Puts the copy in the place of the queue. */
  readonly restore: (bench: Workbench, path: string) => void;
}

const copyFiles = (...words: string[]): undefined => {
  execFileSync('cp', words);
};

const replaceQueue = (bench: Workbench, path: string): void => {
  renameSync(bench.queue, `${bench.queue}.former`);
  renameSync(path, bench.queue);
};

const METHODS: Record<string, Method> = {
  'a backup': { copy: (bench, path) => bench.must(['QUEUE', 'backup', path]), restore: replaceQueue },
  'a snapshot': {
    copy: (bench, path) => bench.must(['QUEUE', 'snapshot', path]),
    restore: (bench, path) => {
      rmSync(join(path, 'read-only'));
      replaceQueue(bench, path);
    },
  },
  'cp -a': {
    copy: (bench, path) => copyFiles('-a', bench.queue, path),
    restore: replaceQueue,
  },
  'an older state of the database file': {
    copy: (bench, path) => copyFiles(join(bench.queue, 'db'), path),
    restore: (bench, path) => copyFiles(path, join(bench.queue, 'db')),
  },
};

/** Submits a job that is not restartable and one that is. Both record their attempts and wait for a file. */
async function submit(bench: Workbench): Promise<void> {
  const command = `echo $RQ_CLAIM >>${bench.directory}/ran.$RQ_JID; until [ -e ${gateOf(bench)} ]; do sleep 0.05; done`;
  await bench.must(['QUEUE', 'submit', '-q', command]);
  await bench.must(['QUEUE', 'submit', '-q', '--restartable', command]);
}

function gateOf(bench: Workbench): string {
  return join(bench.directory, 'gate');
}

function timesRun(bench: Workbench, jid: number): number {
  const path = join(bench.directory, `ran.${jid}`);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}

test.each(Object.keys(METHODS))(
  'a job that ran when %s was made does not run again in it, unless it is restartable',
  async (name) => {
    const { copy, restore } = METHODS[name] as Method;
    const bench = new Workbench();
    const path = join(bench.directory, 'copy');
    await bench.must(['QUEUE', 'create']);
    await submit(bench);
    const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2']);
    await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 2);
    await copy(bench, path);
    writeFileSync(gateOf(bench), '');
    await waitFor(async () => (await bench.jobs('finished')).length === 2);
    await bench.must(['QUEUE', 'shutdown']);
    await feeder.ended;
    restore(bench, path);
    expect(await bench.jobs()).toMatchObject([{ state: 'running' }, { state: 'running' }]);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    expect(await bench.jobs()).toMatchObject([
      { state: 'dead', reason: RESTORED, attempt: 1 },
      { state: 'finished', exit_status: 0, attempt: 2 },
    ]);
    expect([timesRun(bench, 1), timesRun(bench, 2)]).toEqual([1, 2]);
  },
);

test('a restored state is recognised although jobs were submitted to it before the next feeder started', async () => {
  const bench = new Workbench();
  const path = join(bench.directory, 'copy');
  await bench.must(['QUEUE', 'create']);
  await submit(bench);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2']);
  await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 2);
  copyFiles(join(bench.queue, 'db'), path);
  writeFileSync(gateOf(bench), '');
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  await bench.must(['QUEUE', 'shutdown']);
  await feeder.ended;
  copyFiles(path, join(bench.queue, 'db'));
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(await bench.jobs('1')).toMatchObject([{ state: 'dead', reason: RESTORED }]);
  expect(timesRun(bench, 1)).toBe(1);
});

test('a copy beside its original has a runner of its own, and both run their jobs', async () => {
  const bench = new Workbench();
  const copy = `${bench.queue}-copy`;
  await bench.must(['QUEUE', 'create']);
  await submit(bench);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2']);
  await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 2);
  execFileSync('cp', ['-a', bench.queue, copy]);
  await bench.must([copy, 'submit', '-q', 'exit 3']);
  const other = bench.start([copy, 'feed', '--max_feed=2']);
  await waitFor(async () => (await bench.run([copy, 'list', 'finished', '--json'])).stdout.includes('"exit_status":3'));
  expect(await bench.jobs('running')).toHaveLength(2);
  writeFileSync(gateOf(bench), '');
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  for (const queue of ['QUEUE', copy]) await bench.must([queue, 'shutdown']);
  for (const { ended } of [feeder, other]) await ended;
  expect(timesRun(bench, 1)).toBe(1);
});

test('a feeder whose queue is replaced by another one while it runs ends, and says so', async () => {
  const bench = new Workbench();
  const path = join(bench.directory, 'copy');
  await bench.must(['QUEUE', 'create']);
  const feeder = bench.start(['QUEUE', 'feed', '--max_sleep=0.2']);
  await waitFor(async () => (await bench.run(['QUEUE', 'pid'])).status === 0);
  await bench.must(['QUEUE', 'backup', path]);
  execFileSync('cp', [join(path, 'db'), join(bench.queue, 'db.new')]);
  renameSync(join(bench.queue, 'db.new'), join(bench.queue, 'db'));
  expect(await feeder.ended).toMatchObject({ status: 3, stderr: expect.stringContaining('has replaced it') as string });
  // The runner ends when it had no feeder and no job for 30 s.
  await waitFor(() => bench.processes().length === 0, 60_000);
});

test('recover keeps the identity of a queue: its jobs continue and are adopted', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await submit(bench);
  const feeder = bench.start(['QUEUE', 'feed', '--max_feed=2']);
  await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 2);
  await bench.must(['QUEUE', 'recover', '--break-locks', '--yes']);
  feeder.child.kill('SIGKILL');
  await feeder.ended;
  const next = bench.start(['QUEUE', 'feed', '--max_feed=2']);
  await waitFor(async () => (await bench.run(['QUEUE', 'pid'])).status === 0);
  writeFileSync(gateOf(bench), '');
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  await bench.must(['QUEUE', 'shutdown']);
  await next.ended;
  expect([timesRun(bench, 1), timesRun(bench, 2)]).toEqual([1, 1]);
});
