import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Creates a queue with these jobs, and runs them if `isRun`. */
async function queueWith(commands: readonly string[], isRun = false): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: commands.map((command) => `${command}\n`).join('') });
  if (isRun) await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=2']);
  return bench;
}

describe('resubmit', () => {
  test('requeues ended jobs under their jids, applies the options, and keeps every attempt', async () => {
    const bench = await queueWith(['exit 3', 'true'], true);
    const printed = await bench.must(['QUEUE', 'resubmit', '1', '--priority=7', '--tag=again', '--json']);
    expect(JSON.parse(printed)).toMatchObject([{ jid: 1, state: 'pending', priority: 7, tag: 'again', attempt: 1 }]);
    expect((await bench.jobs('1'))[0]).not.toHaveProperty('exit_status');
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    expect(await bench.jobs('1')).toMatchObject([{ state: 'finished', exit_status: 3, attempt: 2 }]);
    const attempts = await bench.must(['QUEUE', 'execute', '--json', 'select * from attempts where jid = 1']);
    expect(JSON.parse(attempts)).toMatchObject([
      { attempt: 1, exit_status: 3 },
      { attempt: 2, exit_status: 3 },
    ]);
  });

  test('replaces stdin and data of each job and removes the old files', async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    const first = join(bench.directory, 'first');
    const second = join(bench.directory, 'second');
    writeFileSync(first, 'one\n');
    writeFileSync(second, 'two\n');
    const command = 'cat; cat "$RQ_DATA"; echo x >>"$RQ_DATA"';
    await bench.must(['QUEUE', 'submit', `--stdin=${first}`, `--data=${first}`, command]);
    await bench.must(['QUEUE', 'submit', `--stdin=${first}`, `--data=${first}`, command]);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    await bench.must(['QUEUE', 'resubmit', 'all', `--stdin=${second}`, `--data=${second}`]);
    await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=1']);
    expect([bench.stdout(1), bench.stdout(2)]).toEqual(['two\ntwo\n', 'two\ntwo\n']);
    expect(await bench.must(['QUEUE', 'stdin', '1'])).toBe('two\n');
    // The file of each job, and the link to it.
    for (const folder of ['stdin', 'data']) expect(readdirSync(join(bench.queue, folder))).toHaveLength(4);
    expect(readFileSync(join(bench.queue, 'stdin/2'), 'utf8')).toBe('two\n');
    await bench.must(['QUEUE', 'delete', 'all', '-q']);
    for (const folder of ['stdin', 'data', 'stdout', 'stderr']) {
      expect(readdirSync(join(bench.queue, folder))).toEqual([]);
    }
  });

  test('changes nothing if the job of a given jid has not ended; a state or all selects only ended jobs', async () => {
    const bench = await queueWith(['true'], true);
    await bench.must(['QUEUE', 'submit', 'true']);
    const { status, stderr } = await bench.run(['QUEUE', 'resubmit', '1,2']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^rq: cannot resubmit: job 2 is pending; nothing was changed; .*\n$/),
    ]);
    expect((await bench.jobs('pending')).map(({ jid }) => jid)).toEqual([2]);
    await bench.must(['QUEUE', 'resubmit', 'all']);
    expect((await bench.jobs('pending')).map(({ jid }) => jid)).toEqual([1, 2]);
    expect((await bench.run(['QUEUE', 'resubmit', 'all'])).status).toBe(3);
  });

  test('running jobs are not changed', async () => {
    const bench = await queueWith(['until [ -e go ]; do sleep 0.05; done']);
    const feeder = bench.start(['QUEUE', 'feed', '--until-empty']);
    await waitFor(async () => (await bench.jobs('running')).length === 1);
    for (const words of [
      ['resubmit', '1'],
      ['update', '1', 'tag=x'],
      ['delete', '1'],
    ]) {
      const { status, stderr } = await bench.run(['QUEUE', ...words]);
      expect([status, stderr]).toEqual([1, expect.stringContaining('1 is running')]);
    }
    // Without its jid, a running job is not selected.
    await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
    expect(JSON.parse(await bench.must(['QUEUE', 'delete', 'all', '--json']))).toMatchObject([{ jid: 2 }]);
    expect((await bench.run(['QUEUE', 'delete', 'all'])).status).toBe(3);
    writeFileSync(join(bench.directory, 'go'), '');
    await feeder.ended;
    expect(await bench.jobs()).toMatchObject([{ state: 'finished', attempt: 1 }]);
  });
});

describe('update', () => {
  test('changes and clears fields of pending and holding jobs, holds and releases them', async () => {
    const bench = await queueWith(['false', 'true']);
    await bench.must(['QUEUE', 'update', '1,2', 'priority=-4', 'tag=x', 'state=holding', 'restartable=true']);
    expect(await bench.jobs()).toMatchObject(
      [1, 2].map(() => ({ priority: -4, tag: 'x', state: 'holding', restartable: true })),
    );
    await bench.must(['QUEUE', 'update', 'holding', 'state=pending', 'tag=null']);
    await bench.must(['QUEUE', 'update', '1', 'command=echo a=b # c']);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    expect(bench.stdout(1)).toBe('a=b\n');
    expect((await bench.jobs('1'))[0]).not.toHaveProperty('tag');
  });

  test.each([
    [['1', 'priority=3000000000'], 2, 'must be a whole number'],
    [['1', 'prioriti=3'], 2, 'did you mean priority?'],
    [['1', '=3'], 2, 'has no field'],
    [['1', 'jid=3'], 2, 'rq sets this field itself'],
    [['1', 'state=running'], 2, 'state must be pending or holding'],
    [['1', 'command=null'], 2, 'cannot be null'],
    [['1', 'stdin=/nonesuch'], 2, 'does not exist'],
    [['1', 'tag=a', 'tag=b'], 2, 'is specified twice'],
    [['1', `tag=${'x'.repeat(256)}`], 2, 'longer than 255'],
    [['1'], 2, 'no change specified'],
    [['tag=x'], 2, 'stdin contains no jid'],
    [['77', 'tag=x'], 3, 'matches 77'],
  ])('refuses %j and changes nothing', async (words, status, message) => {
    const bench = await queueWith(['true']);
    const before = await bench.must(['QUEUE', 'list']);
    const ended = await bench.run(['QUEUE', 'update', ...words], { input: '' });
    expect([ended.status, ended.stderr]).toEqual([status, expect.stringContaining(message)]);
    expect(ended.stderr.split('\n')).toHaveLength(2);
    expect(await bench.must(['QUEUE', 'list'])).toBe(before);
  });
});

describe('touch', () => {
  test('updates the pending job with the same command line and tag in place of adding one', async () => {
    const bench = await queueWith(['true']);
    await bench.must(['QUEUE', 'touch', '--priority=3', 'true']);
    await bench.must(['QUEUE', 'touch', '--tag=x', 'true']);
    await bench.must(['QUEUE', 'touch', '-'], { input: 'true\nfalse\nfalse\n' });
    const jobs = await bench.jobs();
    expect(jobs.map(({ jid, tag, command, priority }) => [jid, tag, command, priority])).toEqual([
      [1, undefined, 'true', 0],
      [2, 'x', 'true', 0],
      [3, undefined, 'false', 0],
    ]);
  });

  test('replaces the old stdin', async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    for (const input of ['one', 'two']) await bench.must(['QUEUE', 'touch', '--stdin', 'cat'], { input });
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    expect(bench.stdout(1)).toBe('two');
    expect(readdirSync(join(bench.queue, 'stdin'))).toHaveLength(2);
    expect(readFileSync(join(bench.queue, 'stdin/1'), 'utf8')).toBe('two');
  });
});

describe('pipes between commands', () => {
  test('carry selections, also after grep, sort and head', async () => {
    const bench = await queueWith(['true', 'exit 4', 'echo 3'], true);
    const sh = async (line: string): Promise<string> => (await bench.shell(line)).stdout;
    await sh("rq q query 'exit_status != 0' | rq q resubmit -q -");
    expect((await bench.jobs('pending')).map(({ jid }) => jid)).toEqual([2]);
    await sh('rq q list p | rq q update tag=old priority=2 -q -');
    await sh('rq q query tag=old | rq q update priority=9 -q -');
    expect(await bench.jobs('2')).toMatchObject([{ tag: 'old', priority: 9 }]);
    await sh("rq q list p | grep -B15 -A9 'tag: old' | rq q delete -q -");
    await sh('rq q list f --json | rq q submit -q -');
    expect((await bench.jobs('pending')).map(({ command }) => command)).toEqual(['true', 'echo 3']);
    await sh("rq q list -f jid | grep -o '[0-9]*' | sort -nr | head -1 | rq q delete -q -");
    expect((await bench.jobs()).map(({ jid }) => jid)).toEqual([1, 3, 4]);
  });

  test('resubmitting printed jobs does not restrict them to the hosts that ran them', async () => {
    const bench = await queueWith(['true # not a comment'], true);
    await bench.shell('rq q list | rq q submit -q -');
    const [original, copy] = await bench.jobs();
    expect(original).toHaveProperty('runner');
    expect(copy).toMatchObject({ state: 'pending', command: 'true # not a comment' });
    expect(copy).not.toHaveProperty('runners');
    expect(copy).not.toHaveProperty('runner');
  });

  test.each(['delete', 'update priority=1', 'resubmit', 'tail'])(
    '%s with nothing selected is an error',
    async (mode) => {
      const bench = await queueWith(['true']);
      for (const input of ['', '--- []\n', 'no jid here\n']) {
        const { status, stderr } = await bench.run(['QUEUE', ...mode.split(' '), '-'], { input });
        expect([status, stderr]).toEqual([
          2,
          expect.stringMatching(/stdin(, "no jid here": the line)? contains no jid/),
        ]);
      }
      expect((await bench.run(['QUEUE', ...mode.split(' ')])).status).toBe(2);
      expect(await bench.jobs('pending')).toHaveLength(1);
    },
  );

  test('jids are not reused after delete all', async () => {
    const bench = await queueWith(['true', 'true']);
    await bench.must(['QUEUE', 'delete', 'all', '-q']);
    await bench.must(['QUEUE', 'submit', 'true']);
    expect((await bench.jobs()).map(({ jid }) => jid)).toEqual([3]);
    expect(readFileSync(join(bench.queue, 'db.schema'), 'utf8')).toContain('CREATE TABLE jobs');
  });
});

describe('files with the names of earlier versions', () => {
  /** Two finished jobs and a pending one whose stdin and data are called `JID`, `JID.TOKEN` and `JID`. */
  async function earlierQueue(): Promise<Workbench> {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    writeFileSync(join(bench.directory, 'in'), 'in\n');
    const words = ['submit', '-q', '--stdin=in', '--data=in', 'cat - "$RQ_DATA"'];
    for (let jid = 1; jid <= 3; jid++) await bench.must(['QUEUE', ...words]);
    for (const [jid, token] of [
      [1, ''],
      [2, '.deadbeef'],
      [3, ''],
    ] as const) {
      const [job] = await bench.jobs(String(jid));
      for (const kind of ['stdin', 'data']) {
        await bench.shell(`rm q/${kind}/${jid} && mv q/${String(job?.[kind])} q/${kind}/${jid}${token}`);
        const sql = `update jobs set ${kind} = '${kind}/${jid}${token}' where jid = ${jid}`;
        await bench.must(['QUEUE', 'execute', sql]);
      }
    }
    await bench.must(['QUEUE', 'update', '3', 'state=holding']);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    expect([1, 2].map((jid) => bench.stdout(jid))).toEqual(['in\nin\n', 'in\nin\n']);
    return bench;
  }

  const names = (bench: Workbench, queue = 'q'): string[] =>
    ['stdin', 'data'].flatMap((kind) => readdirSync(join(bench.directory, queue, kind)).sort());

  test('are printed, resubmitted from what list prints, and copied by backup', async () => {
    const bench = await earlierQueue();
    expect(await bench.must(['QUEUE', 'stdin4', '2'])).toBe(`${bench.queue}/stdin/2.deadbeef\n`);
    expect(await bench.must(['QUEUE', 'stdin', '1'])).toBe('in\n');
    await bench.must(['QUEUE', 'backup', 'saved']);
    expect(names(bench, 'saved')).toEqual(['1', '2.deadbeef', '3', '1', '2.deadbeef', '3']);
    await bench.shell('rq q list 1,2 | rq q submit -q - && rq q feed --until-empty');
    expect([bench.stdout(4), bench.stdout(5)]).toEqual(['in\nin\n', 'in\nin\n']);
  });

  test('are replaced by update, and removed by delete and rotate', async () => {
    const bench = await earlierQueue();
    await bench.must(['QUEUE', 'update', '-q', '3', 'stdin=in', 'data=null', 'state=pending']);
    // The name of a new file is random, and so is its place in the order.
    const [staged, ...others] = names(bench).sort((a, b) => b.length - a.length);
    expect(staged).toMatch(/-.*\.1$/);
    expect(others.sort()).toEqual(['1', '1', '2.deadbeef', '2.deadbeef', '3']);
    await bench.must(['QUEUE', 'rotate', 'old']);
    expect(names(bench, 'old')).toEqual(['1', '2.deadbeef', '1', '2.deadbeef']);
    await bench.must(['QUEUE', 'delete', '-q', 'all']);
    expect(names(bench)).toEqual([]);
  });
});
