import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

async function queueWithEnded(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat; exit 3'], { input: 'one' });
  await bench.must(['QUEUE', 'submit', '-q', 'echo two']);
  await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=1']);
  await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'three' });
  return bench;
}

/** The jobs of a queue in the directory of the bench. */
async function jobsOf(bench: Workbench, queue: string): Promise<Record<string, unknown>[]> {
  return JSON.parse(await bench.must([queue, 'list', '--json'])) as Record<string, unknown>[];
}

describe('configure', () => {
  test('sets the defaults of feeders', async () => {
    const bench = await queueWithEnded();
    expect(await bench.must(['QUEUE', 'configure', 'max_feed=3', 'min_sleep=0.1', 'max-sleep=0.2'])).toBe(
      '---\nmax_feed: 3\nmin_sleep: 0.1\nmax_sleep: 0.2\nlost_after: 900\nkill_grace: 30\nretention: 0\n' +
        'max_per_user: null\nfair: false\nreserve_after: 600\n',
    );
    await bench.must(['QUEUE', 'start']);
    expect(await bench.must(['QUEUE', 'feeder', '-f', 'slots'])).toBe('---\nslots: 3\n');
    await bench.must(['QUEUE', 'shutdown'], {});
  });

  test('reads durations and prints them in seconds, and null restores the default', async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    const words = [
      'lost_after=1h30m',
      'retention=7d',
      'kill_grace=0.5',
      'reserve_after=2m',
      'fair=true',
      'max_per_user=3',
    ];
    await bench.must(['QUEUE', 'configure', ...words]);
    const settings = async (): Promise<unknown> => JSON.parse(await bench.must(['QUEUE', 'configure', '--json']));
    expect(await settings()).toMatchObject({
      lost_after: 5400,
      retention: 604_800,
      kill_grace: 0.5,
      reserve_after: 120,
    });
    expect(await settings()).toMatchObject({ fair: true, max_per_user: 3 });
    await bench.must(['QUEUE', 'configure', 'fair=false', 'max_per_user=null', 'reserve_after=null']);
    expect(await settings()).toMatchObject({ fair: false, max_per_user: null, reserve_after: 600 });
  });

  test.each([
    ['max_fed=1', 'did you mean max_feed?'],
    ['max_feed=0', 'from 1 to'],
    ['max_feed=1.5', 'a whole number'],
    ['max_feed', 'give a value'],
    ['min_sleep=60', 'is greater than max_sleep'],
    ['retention=-1', 'a duration from 0s'],
    ['lost_after=9', 'a duration from 10s'],
    ['max_per_user=0', 'a whole number from 1 to 1000000'],
    ['max_per_user=2.5', 'a whole number'],
    ['fair=yes', 'true or false'],
    ['fair', 'give a value, as in fair=true'],
    ['reserve_after=soon', 'a duration from 0s to 366d'],
  ])('refuses %j and changes nothing', async (word, message) => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    const before = await bench.must(['QUEUE', 'configure']);
    const { status, stderr } = await bench.run(['QUEUE', 'configure', word]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(await bench.must(['QUEUE', 'configure'])).toBe(before);
  });
});

test.each([
  ['QUEUE', 'rotate'],
  ['QUEUE', 'backup'],
  ['QUEUE', 'snapshot'],
  ['QUEUE', 'configure', 'max_feed=3'],
  ['QUEUE', 'recover'],
  ['QUEUE', 'start'],
  ['QUEUE', 'stop'],
  ['new', 'create'],
])('%s %s refuses fields that it does not report, and changes nothing', async (...words) => {
  const bench = await queueWithEnded();
  const before = [readdirSync(bench.directory), await bench.must(['QUEUE', 'list'])];
  const { status, stdout, stderr } = await bench.run([...words, '--fields=nosuch']);
  expect([status, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^rq: there is no field "nosuch" to print/)]);
  expect([readdirSync(bench.directory), await bench.must(['QUEUE', 'list'])]).toEqual(before);
  expect(await bench.must(['QUEUE', 'configure', '-f', 'max_feed'])).toBe('---\nmax_feed: null\n');
});

describe('snapshot and backup', () => {
  test('a snapshot can be read like a queue, and can be neither changed nor fed', async () => {
    const bench = await queueWithEnded();
    expect(await bench.must(['QUEUE', 'snapshot'])).toBe(`---\npath: ${join(bench.directory, 'q.snapshot')}\n`);
    await bench.must(['QUEUE', 'delete', 'all', '-q']);
    expect(await jobsOf(bench, 'q.snapshot')).toMatchObject([{ jid: 1, exit_status: 3 }, { jid: 2 }, { jid: 3 }]);
    for (const words of [['submit', 'true'], ['feed'], ['delete', 'all'], ['rotate'], ['execute', 'select 1']]) {
      const { status, stderr } = await bench.run(['q.snapshot', ...words]);
      expect([status, stderr]).toEqual([1, expect.stringContaining('read-only')]);
    }
    const { status, stderr } = await bench.run(['QUEUE', 'snapshot']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('the path already exists')]);
  });

  test('a snapshot is consistent while jobs run', async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'true\n'.repeat(400) });
    const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=2']);
    for (let round = 0; round < 5; round++) {
      await bench.must(['QUEUE', 'snapshot', `s${round}`]);
      expect(await jobsOf(bench, `s${round}`)).toHaveLength(400);
    }
    expect((await feeder.ended).status).toBe(0);
  });

  test('a backup can replace its queue', async () => {
    const bench = await queueWithEnded();
    writeFileSync(join(bench.queue, 'bin', 'tool'), '#!/bin/sh\necho tool\n', { mode: 0o755 });
    const printed = await bench.must(['QUEUE', 'backup', 'saved']);
    expect(printed).toBe(`---\npath: ${join(bench.directory, 'saved')}\njobs: 3\nfiles: 9\n`);
    await bench.shell('rm -rf q && mv saved q && rq q submit -q tool && rq q feed --until-empty');
    expect([1, 2, 3, 4].map((jid) => bench.stdout(jid))).toEqual(['one', 'two\n', 'three', 'tool\n']);
    expect((await bench.run(['QUEUE', 'backup', 'q'])).stderr).toContain('the path already exists');
    expect((await bench.run(['QUEUE', 'backup', 'no/where'])).stderr).toContain('there is no directory');
  });

  test('a backup of a group queue has the same modes and group', async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create', '--mode=group']);
    if (process.getuid?.() === 0) await bench.shell('chgrp -R 65534 q');
    await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'in' });
    await bench.shell('umask 022; rq q backup saved');
    const access = async (queue: string): Promise<string> =>
      (await bench.shell(`cd ${queue} && find . -printf '%p %m %g\\n' | grep -v lease | sort`)).stdout;
    expect(await access('saved')).toBe(await access('q'));
  });
});

test('members of the group can access data in a group queue, whatever the umask and the original modes', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create', '--mode=group']);
  await bench.shell(
    'mkdir -p raw/deep && echo in >raw/deep/file && chmod -R go-rwx raw && umask 077 && rq q submit -q -d raw true',
  );
  expect((await bench.shell("cd q/data/1/ && find . -printf '%p %m\\n' | sort")).stdout).toMatch(
    /^\. 2?770\n\.\/deep 2?770\n\.\/deep\/file 660\n$/,
  );
});

describe('rotate', () => {
  test('moves ended jobs and their files to a directory that is a read-only queue', async () => {
    const bench = await queueWithEnded();
    expect(await bench.must(['QUEUE', 'rotate', 'old'])).toBe(
      `---\nrotation: ${join(bench.directory, 'old')}\njobs: 2\n`,
    );
    expect((await jobsOf(bench, 'old')).map(({ jid, exit_status }) => [jid, exit_status])).toEqual([
      [1, 3],
      [2, 0],
    ]);
    expect(await bench.must(['old', 'stdout', '1'])).toBe('one');
    expect(await bench.must(['old', 'stdin', '1'])).toBe('one');
    expect((await bench.jobs()).map(({ jid }) => jid)).toEqual([3]);
    expect(readdirSync(join(bench.queue, 'stdout'))).toEqual([]);
    expect(readdirSync(bench.directory).filter((name) => name.startsWith('.rq'))).toEqual([]);
    const { stdout, stderr } = await bench.run(['QUEUE', 'rotate']);
    expect([stdout, stderr]).toEqual(['---\nrotation: null\njobs: 0\n', expect.stringContaining('nothing to rotate')]);
  });

  test('makes one compressed file by default', async () => {
    const bench = await queueWithEnded();
    const rotation = /^rotation: (.+)$/m.exec(await bench.must(['QUEUE', 'rotate']))?.[1] ?? '';
    expect(rotation).toMatch(/\/q\.\d{8}T\d{6}\.\d{3}Z\.tgz$/);
    await bench.shell(`mkdir x && tar xzf ${rotation} -C x --strip-components=1`);
    expect(await jobsOf(bench, 'x')).toHaveLength(2);
    expect(readFileSync(join(bench.directory, 'x/stdout/2'), 'utf8')).toBe('two\n');
  });

  test('leaves jobs that ended less than the retention ago', async () => {
    const bench = await queueWithEnded();
    await bench.must(['QUEUE', 'configure', 'retention=3600']);
    expect(await bench.must(['QUEUE', 'rotate', '-f', 'rotation'])).toBe('---\nrotation: null\n');
    await bench.must(['QUEUE', 'execute', "update jobs set finished = '2020-01-01T00:00:00.000Z' where jid = 2"]);
    expect(await bench.must(['QUEUE', 'rotate', 'old', '-f', 'jobs'])).toBe('---\njobs: 1\n');
  });

  test('refuses a target that exists or cannot be created', async () => {
    const bench = await queueWithEnded();
    mkdirSync(join(bench.directory, 'there'));
    for (const [target, message] of [
      ['there', 'the path already exists'],
      ['no/where', 'there is no directory'],
    ] as const) {
      const { status, stderr } = await bench.run(['QUEUE', 'rotate', target]);
      expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
    }
    expect(await bench.jobs()).toHaveLength(3);
  });
});

describe('lock', () => {
  test('exits with the exit status of the command', async () => {
    const bench = await queueWithEnded();
    const status = async (...words: string[]): Promise<number | null> =>
      (await bench.run(['QUEUE', 'lock', ...words])).status;
    expect(await status('read', '--', 'sh', '-c', 'exit 7')).toBe(7);
    expect(await status('write', '--', 'sh', '-c', 'kill -9 $$')).toBe(137);
    expect(await status('exclusive', '--', '/nonesuch')).toBe(127);
    expect(await status('sideways', '--', 'true')).toBe(2);
    expect(await status('read')).toBe(2);
  });

  test('a read lock prevents commits, a write lock also prevents reads, and both end when rq ends or is killed', async () => {
    const bench = await queueWithEnded();
    const held = join(bench.directory, 'held');
    for (const [kind, reads] of [
      ['read', 0],
      ['write', 75],
    ] as const) {
      const locker = bench.start(['QUEUE', 'lock', kind, '--', 'sh', '-c', `echo $$ >${held}; exec sleep 1000`]);
      const pid = await waitFor(() => (existsSync(held) ? Number(readFileSync(held, 'utf8')) || undefined : undefined));
      expect((await bench.run(['QUEUE', 'list', '--lock-timeout=0.2'])).status).toBe(reads);
      expect((await bench.run(['QUEUE', 'submit', 'true', '--lock-timeout=0.2'])).status).toBe(75);
      if (kind === 'read') {
        locker.child.kill('SIGKILL');
        process.kill(pid, 'SIGTERM');
        await locker.ended;
      } else {
        locker.child.kill('SIGTERM');
        expect((await locker.ended).status).toBe(143);
      }
      await bench.must(['QUEUE', 'submit', '-q', 'true']);
      await bench.shell(`rm ${held}`);
    }
    expect(await bench.jobs()).toHaveLength(5);
  });
});

test('status counts exit statuses under given names', async () => {
  const bench = await queueWithEnded();
  const text = await bench.must(['QUEUE', 'status', '-f', 'exit', '--exit', 'ok=0,3 odd=42']);
  expect(text).toBe('---\nexit_status:\n  successes: 1\n  failures: 1\n  ok: 2\n  odd: 0\n');
  for (const word of ['ok', 'ok=256', 'successes=1', 'a=1 a=2']) {
    expect((await bench.run(['QUEUE', 'status', '--exit', word])).status).toBe(2);
  }
});
