import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { zeroPage } from '../../support/damage.ts';
import { Workbench } from '../../support/program.ts';
import { describeSmallDisk, fill, smallDisk } from '../../support/small-disk.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Creates a queue on a file system of three megabytes. */
async function queueOnSmallDisk(): Promise<Workbench> {
  const bench = new Workbench();
  const parent = join(bench.queue, '..', 'small');
  smallDisk(parent, '3m');
  bench.queue = join(parent, 'q');
  await bench.must(['QUEUE', 'create']);
  return bench;
}

describeSmallDisk('a full disk', () => {
  test('makes submit fail with a message of one line, and nothing is submitted', async () => {
    const bench = await queueOnSmallDisk();
    const jobs = `${'echo a command of some length that fills the disk\n'.repeat(20)}`;
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: jobs });
    const many = await bench.run(['QUEUE', 'submit', '-q', '-'], { input: jobs.repeat(5000) });
    expect(many.stderr).toMatch(
      /^rq: cannot write to .*: the disk or your quota is full; free some space and try again\n$/,
    );
    expect(many.status).toBe(1);
    const filler = fill(join(bench.queue, '..'));
    const one = await bench.run(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'x'.repeat(100_000) });
    expect(one.status).toBe(1);
    expect(one.stderr.split('\n')).toHaveLength(2);
    expect(await bench.counts()).toMatchObject({ pending: 20, total: 20 });
    rmSync(filler);
    expect(readdirSync(join(bench.queue, 'stdin'))).toEqual([]);
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
  });

  test.each(['r', 'r.tgz'])('makes a rotation to it fail, and the queue is unchanged: %s', async (name) => {
    const bench = await queueOnSmallDisk();
    const small = join(bench.queue, '..');
    bench.queue = join(bench.directory, 'q');
    await bench.must(['QUEUE', 'create']);
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'head -c 2000000 /dev/urandom\n'.repeat(3) });
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    const before = await bench.must(['QUEUE', 'list']);
    const { status, stderr } = await bench.run(['QUEUE', 'rotate', join(small, name)]);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^rq: cannot rotate to .* is full; .*\n$/)]);
    expect(await bench.must(['QUEUE', 'list'])).toBe(before);
    expect(readdirSync(join(bench.queue, 'stdout'))).toHaveLength(3);
    expect(readdirSync(small)).toEqual(['q']);
  });

  test('makes recover fail, and no partial copy is left, however little space there is', async () => {
    const bench = await queueOnSmallDisk();
    const jobs = `${'echo a command of some length that fills the disk\n'.repeat(3000)}`;
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: jobs });
    const database = join(bench.queue, 'db');
    zeroPage(database, 16);
    const { size } = statSync(database);
    const filler = fill(join(bench.queue, '..'));
    const whole = statSync(filler).size;
    // No space, space for half of the copy, and space for the copy but not for the new database.
    for (const factor of [0, 0.5, 1.3]) {
      truncateSync(filler, whole - Math.floor(factor * size));
      const { status, stderr } = await bench.run(['QUEUE', 'recover', '-v2']);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^rq: cannot .* is full; free some space.*\n$/)]);
      expect(readdirSync(bench.queue).filter((name) => name.startsWith('db'))).toEqual(['db', 'db.schema']);
    }
    rmSync(filler);
    await bench.must(['QUEUE', 'recover']);
  });

  test('suspends a feeder until there is space again, and no result is lost', async () => {
    const bench = await queueOnSmallDisk();
    const go = join(bench.directory, 'go');
    await bench.must(['QUEUE', 'submit', '-q', '-'], {
      input: `while [ ! -e ${go} ]; do sleep 0.1; done; exit 4\n`.repeat(4),
    });
    const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=2']);
    let log = '';
    feeder.child.stderr?.on('data', (text: string) => {
      log += text;
    });
    await waitFor(async () => (await bench.jobs('running')).filter(({ pid }) => pid !== undefined).length === 2);
    const filler = fill(join(bench.queue, '..'));
    writeFileSync(go, '');
    await waitFor(() => /disk or your quota is full/.test(log));
    rmSync(filler);
    expect((await feeder.ended).status).toBe(0);
    expect(await bench.jobs()).toMatchObject(Array(4).fill({ state: 'finished', exit_status: 4 }));
  });
});
