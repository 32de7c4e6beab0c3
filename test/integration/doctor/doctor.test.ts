import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { bootId } from '../../../src/job/host.ts';
import { benchWithQueue, examine, plantOld, stateOf } from '../../support/doctor.ts';
import type { Workbench } from '../../support/program.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const ID = '01234567-89ab-cdef-0123-456789abcdef';

let bench: Workbench;
beforeEach(async () => {
  bench = await benchWithQueue();
});

function inQueue(name: string): string {
  return join(bench.queue, name);
}

describe('on a healthy queue', () => {
  test('every check is ok, nothing changes, and the status is 0', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'text' });
    await bench.must(['QUEUE', 'submit', '-q', '--data', bench.environment['PATH']?.split(':')[0] ?? '', 'true']);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'text' });
    const before = stateOf(bench.queue);
    for (const words of [[], ['--full']]) {
      const { status, verdict, checks, found } = await examine(bench, words);
      expect({ status, verdict, found }).toEqual({ status: 0, verdict: 'ok', found: [] });
      expect(Object.keys(checks)).toHaveLength(18);
    }
    expect(stateOf(bench.queue)).toEqual(before);
  });

  test('every check is ok with lease locking while jobs run', async () => {
    bench.queue = join(bench.directory, 'leased');
    await bench.must(['QUEUE', 'create', '--locking=lease']);
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'cat\n'.repeat(60) });
    const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=4']);
    const { found, checks } = await examine(bench);
    expect(found.filter((each) => !each.startsWith('cron'))).toEqual([]);
    expect(checks['database']).toBe('ok');
    expect((await feeder.ended).status).toBe(0);
  });

  test('--fields selects fields; unknown fields and positionals are usage errors', async () => {
    expect(await bench.must(['QUEUE', 'doctor', '-f', 'verdict,findings'])).toBe('---\nverdict: ok\nfindings: []\n');
    for (const words of [['-f', 'nothing'], ['now'], ['--with', 'a,,b']]) {
      expect((await bench.run(['QUEUE', 'doctor', ...words])).status).toBe(2);
    }
    expect((await bench.run(['nowhere', 'doctor'])).status).toBe(3);
  });
});

describe('permissions and folders:', () => {
  test.each<[string, () => void, string]>([
    ['a queue that anyone can write to', () => chmodSync(bench.queue, 0o777), 'permissions: problem: .*/q: anyone can'],
    ['such a database', () => chmodSync(inQueue('db'), 0o666), 'permissions: problem: .*/db: anyone can'],
    ['a database that the group alone can write to', () => chmodSync(inQueue('db'), 0o660), '/db: its group can write'],
    [
      'a program that anyone can write to',
      () => {
        writeFileSync(inQueue('bin/tool'), '');
        chmodSync(inQueue('bin/tool'), 0o777);
      },
      'permissions: problem: anyone can write to .*/bin/tool',
    ],
    [
      "a group's queue in which the group cannot write",
      () => chmodSync(bench.queue, 0o2770),
      'the group of the queue cannot write to .*/db, ',
    ],
    [
      "a group's queue whose files get another",
      () => chmodSync(bench.queue, 0o770),
      'do not inherit the group of the queue',
    ],
    ["a group's queue that is sticky", () => chmodSync(bench.queue, 0o3770), 'problem: the directory is sticky'],
    [
      'no folder for stdin',
      () => rmSync(inQueue('stdin'), { recursive: true }),
      'folders: problem: .*/q/stdin: no such',
    ],
    [
      'a file in the place of a folder',
      () => {
        rmSync(inQueue('data'), { recursive: true });
        writeFileSync(inQueue('data'), '');
      },
      'folders: problem: .*/q/data: no such',
    ],
  ])('%s is a problem', async (_, spoil, expected) => {
    spoil();
    const { verdict, found } = await examine(bench);
    expect(found.join('\n')).toMatch(new RegExp(expected));
    expect(verdict).toBe('problem');
  });

  test.skipIf(!isRoot)('a queue of another user is noted (skipped: only root can chown)', async () => {
    chownSync(bench.queue, NOBODY, NOBODY);
    const { verdict, found } = await examine(bench);
    expect(verdict).toBe('note');
    expect(found).toEqual([`permissions: note: ${bench.queue}: this path belongs to another user`]);
  });

  test('a queue created for a group is ok', async () => {
    bench.queue = join(bench.directory, 'shared');
    await bench.must(['QUEUE', 'create', '--mode=group']);
    expect(await examine(bench)).toMatchObject({ verdict: 'ok', found: [] });
  });
});

describe('files:', () => {
  test('files without a job are noted, and a missing file of a pending job is a problem', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'text' });
    const staged = `data/${ID}.2`;
    for (const name of ['stdout/7', 'stdin/7', 'stdin/1.abcdef', staged]) plantOld(inQueue(name));
    expect((await examine(bench)).found).toEqual([
      `files: note: these files belong to no job: ${staged}, stdin/1.abcdef, stdin/7, stdout/7`,
    ]);
    const stdin = String((await bench.jobs())[0]?.['stdin']);
    rmSync(inQueue(stdin));
    const { verdict, found } = await examine(bench);
    expect(found[0]).toBe(`files: problem: pending jobs need these missing files: ${stdin}`);
    expect(verdict).toBe('problem');
  });

  test('old temporary files of killed processes are leftovers, and new ones are not', async () => {
    const of = `.h9.01234567.1.2.3.${ID}`;
    const inFolders = [`../${of}`, `nodes/${of}`, `stdin/${of}`, `data/${of}`];
    for (const names of [inFolders, [`.doctor.${ID}`, '.look.1.abc', `db.recovering.${ID}`]]) {
      const paths = names.map((name) => join(bench.queue, name));
      for (const path of paths) plantOld(path);
      expect((await examine(bench)).found).toEqual([
        `leftovers: note: a killed rq process left these files: ${paths.join(', ')}`,
      ]);
      for (const path of paths) utimesSync(path, new Date(), new Date());
      expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
    }
  });

  test('a killed rotation and databases kept by recover and upgrade are leftovers', async () => {
    const crash = { RQ_CRASH_AT: `rotation-filled:${join(bench.directory, 'crashed')}` };
    expect((await bench.run(['QUEUE', 'rotate', 'rotation'], { environment: crash })).signal).toBe('SIGKILL');
    const left = readdirSync(bench.directory).find((name) => name.startsWith('.rq-rotation.'));
    const partial = join(bench.directory, String(left));
    writeFileSync(inQueue('db.damaged.20260101T000000000Z'), '');
    writeFileSync(inQueue('db.version-2.20260101T000000000Z'), '');
    expect((await examine(bench)).found).toEqual([
      `leftovers: note: a killed rq process left these files: ${partial}`,
      `leftovers: note: "recover" kept damaged files: ${inQueue('db.damaged.20260101T000000000Z')}`,
      `leftovers: note: "upgrade" kept copies of the database: ${inQueue('db.version-2.20260101T000000000Z')}`,
    ]);
  });

  test('a rotation that another boot or container works on is no leftover', async () => {
    const partial = join(bench.directory, `.rq-rotation.${ID}`);
    const { host } = JSON.parse(await bench.must(['QUEUE', 'doctor', '--json'])) as { host: string };
    mkdirSync(partial);
    for (const boot of ['another', bootId()]) {
      const owner = `queue: ${bench.queue}\nhost: ${host}\nboot: ${boot}\nnamespace: 1\npid: 1\nstart_time: 1\n`;
      writeFileSync(join(partial, 'owner'), `---\n${owner}`);
      utimesSync(partial, 1, 1);
      expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
    }
  });
});
