import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const SIZE = '3m';
const mounted: string[] = [];
const reason = process.getuid?.() === 0 ? undefined : 'only root can mount a small file system';

afterEach(() => {
  for (const point of mounted.splice(0)) execFileSync('umount', ['-l', point]);
});

/** A queue on a file system of three megabytes. */
async function cramped(): Promise<Workbench> {
  const bench = new Workbench();
  const parent = join(bench.queue, '..', 'small');
  mkdirSync(parent);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'rq-test', parent]);
  mounted.push(parent);
  bench.queue = join(parent, 'q');
  await bench.must(['QUEUE', 'create']);
  return bench;
}

function fill(bench: Workbench): string {
  const path = join(bench.queue, '..', 'filler');
  const { bavail, bsize } = statfsSync(join(bench.queue, '..'));
  writeFileSync(path, Buffer.alloc(bavail * bsize));
  return path;
}

describe.skipIf(reason !== undefined)(`a full disk${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  test('submit says so in one line, and nothing is submitted', async () => {
    const bench = await cramped();
    const jobs = `${'echo a command of some length that fills the disk\n'.repeat(20)}`;
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: jobs });
    const many = await bench.run(['QUEUE', 'submit', '-q', '-'], { input: jobs.repeat(5000) });
    expect(many.stderr).toMatch(/^rq: cannot write to .*: the disk or your quota is full; make room, try again\n$/);
    expect(many.status).toBe(1);
    const filler = fill(bench);
    const one = await bench.run(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'x'.repeat(100_000) });
    expect(one.status).toBe(1);
    expect(one.stderr.split('\n')).toHaveLength(2);
    expect(await bench.counts()).toMatchObject({ pending: 20, total: 20 });
    rmSync(filler);
    expect(readdirSync(join(bench.queue, 'stdin'))).toEqual([]);
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
  });

  test.each(['r', 'r.tgz'])('a rotation to it leaves everything as it was: %s', async (name) => {
    const bench = await cramped();
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

  test('a feeder goes on when there is space again, and no result is lost', async () => {
    const bench = await cramped();
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
    const filler = fill(bench);
    writeFileSync(go, '');
    await waitFor(() => /disk or your quota is full/.test(log));
    rmSync(filler);
    expect((await feeder.ended).status).toBe(0);
    expect(await bench.jobs()).toMatchObject(Array(4).fill({ state: 'finished', exit_status: 4 }));
  });
});
