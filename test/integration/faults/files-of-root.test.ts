import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundleFixture, FixtureProcess } from '../../support/fixture.ts';
import { Workbench } from '../../support/program.ts';

const NOBODY = 65_534;
const reason = process.getuid?.() === 0 ? '' : ' (skipped: only root can act for two users)';

/** A bench with a private queue of another user, and that user's home directory `home`. */
async function newBench(): Promise<Workbench> {
  const bench = new Workbench();
  chmodSync(bench.directory, 0o755);
  mkdirSync(join(bench.directory, 'home'));
  chownSync(join(bench.directory, 'home'), NOBODY, NOBODY);
  bench.queue = join(bench.directory, 'home/q');
  await asUser(bench, 'create');
  return bench;
}

/** Runs a command of rq as the other user. It has to succeed. */
async function asUser(bench: Workbench, words: string): Promise<string> {
  const user = `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`;
  const variables = `HOME=${bench.directory}/home RQ_RUNTIME_DIR=${bench.directory}/home/run`;
  return (await bench.shell(`cd /; ${user} env ${variables} rq ${bench.queue} ${words}`)).stdout;
}

/** The files below a directory that belong to root. */
function filesOfRoot(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return ['', ...names].filter((name) => lstatSync(join(directory, name)).uid === 0);
}

describe.skipIf(reason !== '')(`in the private queue of another user${reason}`, () => {
  async function withSources(): Promise<Workbench> {
    const bench = await newBench();
    writeFileSync(join(bench.directory, 'in'), 'in\n', { mode: 0o600 });
    mkdirSync(join(bench.directory, 'set/deep'), { recursive: true, mode: 0o700 });
    writeFileSync(join(bench.directory, 'set/deep/file'), 'file\n', { mode: 0o600 });
    symlinkSync('file', join(bench.directory, 'set/deep/link'));
    return bench;
  }

  test.each([
    ['submit', ['submit', '-q', '--cwd=/', '--stdin=in', '--data=set', 'cat - $RQ_DATA/deep/link']],
    ['update', ['update', '-q', '1', 'stdin=in', 'data=set']],
    ['resubmit', ['resubmit', '-q', '1', '--stdin=in', '--data=set']],
  ])('the stdin and data that root gives to a job belong to the owner: %s', async (command, words) => {
    const bench = await withSources();
    if (command !== 'submit') await asUser(bench, "submit -q --cwd=/ 'cat - $RQ_DATA/deep/link'");
    if (command === 'resubmit') await asUser(bench, 'feed --until-empty -v1');
    await bench.must(['QUEUE', ...words]);
    await asUser(bench, 'feed --until-empty -v1');
    expect(await bench.jobs()).toMatchObject([{ state: 'finished', exit_status: 0 }]);
    expect(bench.stdout(1)).toBe('in\nfile\n');
    await asUser(bench, 'delete -q 1');
    expect(['stdin', 'data'].flatMap((folder) => readdirSync(join(bench.queue, folder)))).toEqual([]);
  });

  test.each(['backup', 'snapshot', 'rotate'])('the copy that root makes belongs to the owner: %s', async (command) => {
    const bench = await withSources();
    await bench.must(['QUEUE', 'submit', '-q', '--cwd=/', '--stdin=in', '--data=set', 'cat']);
    await asUser(bench, 'feed --until-empty -v1');
    writeFileSync(join(bench.queue, 'bin/tool'), '#!/bin/sh\n', { mode: 0o700 });
    await bench.must(['QUEUE', command, 'home/copy']);
    expect(filesOfRoot(join(bench.directory, 'home/copy'))).toEqual([]);
    bench.queue = join(bench.directory, 'home/copy');
    if (command !== 'snapshot') expect(await asUser(bench, 'stdout 1')).toBe('in\n');
    if (command === 'backup') await asUser(bench, 'submit -q --cwd=/ tool');
  });

  test('the archive that root makes belongs to the owner', async () => {
    const bench = await newBench();
    await asUser(bench, 'submit -q --cwd=/ true');
    await asUser(bench, 'feed --until-empty -v1');
    await bench.must(['QUEUE', 'rotate', 'home/r.tgz']);
    expect(lstatSync(join(bench.directory, 'home/r.tgz')).uid).toBe(NOBODY);
  });

  test('the owner waits while root holds the lease', async () => {
    const bench = await newBench();
    const holder = new FixtureProcess(await bundleFixture('queue-holder'), [bench.queue]);
    try {
      await holder.message();
      expect(await asUser(bench, 'submit --lock-timeout=0.2 --cwd=/ true 2>&1 || echo "status $?"')).toMatch(
        /^rq: cannot acquire the lease of \S+ within .* is held; .*\nstatus 75\n$/,
      );
    } finally {
      await holder.kill();
    }
  });

  test('a feeder of root states in one line what it means', async () => {
    const bench = await newBench();
    const warning = `root feeds from ${bench.queue}, which belongs to uid ${NOBODY}: the jobs run as root, their output belongs to root, and whoever can write to the queue can run commands as root; to prevent this, feed as the owner`;
    const feed = await bench.run(['QUEUE', 'feed', '--until-empty', '--trust-group', '-v2']);
    expect(feed).toMatchObject({ status: 0, stderr: expect.stringMatching(/^\S+ warn {2}root feeds from [^\n]*\n$/) });
    expect(feed.stderr).toContain(warning);
    const start = await bench.run(['QUEUE', 'start', '--trust-group']);
    expect(start).toMatchObject({ status: 0, stderr: `rq: ${warning}\n` });
    expect(await bench.run(['QUEUE', 'stop', '-v2'])).toMatchObject({ status: 0, stderr: '' });
  });
});
