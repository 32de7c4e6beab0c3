import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { keepIndexOf, zeroPage } from '../../support/damage.ts';
import { examine } from '../../support/doctor.ts';
import { FakeCrontab } from '../../support/fake-crontab.ts';
import { bundleFixture, FixtureProcess } from '../../support/fixture.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const ID = '01234567-89ab-cdef-0123-456789abcdef';
const LONG_AGO = new Date('2020-01-01');

let bench: Workbench;
let writer: string;
beforeAll(async () => {
  writer = await bundleFixture('writer');
});
beforeEach(async () => {
  bench = new Workbench();
  Object.assign(bench.environment, new FakeCrontab(bench.directory).environment);
  await bench.must(['QUEUE', 'create']);
});

function path(name: string): string {
  return join(bench.queue, name);
}

/** Changes the database as any program can, that is not rq. */
function sql(...statements: string[]): void {
  const connection = Connection.open(path('db'), { busyMs: 0 });
  for (const statement of statements) connection.execute(statement);
  connection.close();
}

/** A file or directory of long ago. */
function plant(name: string, kind: 'file' | 'directory' = 'file'): void {
  if (kind === 'file') writeFileSync(path(name), '');
  else mkdirSync(path(name), { recursive: true });
  utimesSync(path(name), LONG_AGO, LONG_AGO);
}

/** All names in the queue with their time stamps. */
function state(): string[] {
  const names = readdirSync(bench.queue, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => `${name} ${statSync(path(name)).mtimeMs}`);
}

describe('of a queue that is well', () => {
  test('every check is ok, nothing is changed, and the status is 0', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'text' });
    await bench.must(['QUEUE', 'submit', '-q', '--data', bench.environment['PATH']?.split(':')[0] ?? '', 'true']);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'text' });
    const before = state();
    for (const words of [[], ['--full']]) {
      const { status, verdict, checks, found } = await examine(bench, words);
      expect({ status, verdict, found }).toEqual({ status: 0, verdict: 'ok', found: [] });
      expect(Object.keys(checks)).toHaveLength(19);
    }
    expect(state()).toEqual(before);
  });

  test('it is also ok with a lease in place of locks, while jobs are submitted and run', async () => {
    bench.queue = join(bench.directory, 'leased');
    await bench.must(['QUEUE', 'create', '--locking=lease']);
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'cat\n'.repeat(60) });
    const feeder = bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=4']);
    const { found, checks } = await examine(bench);
    expect(found.filter((each) => !each.startsWith('cron'))).toEqual([]);
    expect(checks['database']).toBe('ok');
    expect((await feeder.ended).status).toBe(0);
  });

  test('the fields that are asked for are printed; those that there are not, and words, are mistakes', async () => {
    expect(await bench.must(['QUEUE', 'doctor', '-f', 'verdict,findings'])).toBe('---\nverdict: ok\nfindings: []\n');
    for (const words of [['-f', 'nothing'], ['now'], ['--with', 'a,,b']]) {
      expect((await bench.run(['QUEUE', 'doctor', ...words])).status).toBe(2);
    }
    expect((await bench.run(['nowhere', 'doctor'])).status).toBe(3);
  });
});

describe('permissions and folders:', () => {
  test.each<[string, () => void, string]>([
    [
      'a queue that anybody can write to',
      () => chmodSync(bench.queue, 0o777),
      'permissions: problem: .*/q: anybody can',
    ],
    ['such a database', () => chmodSync(path('db'), 0o666), 'permissions: problem: .*/db: anybody can'],
    ['a database that the group alone can write to', () => chmodSync(path('db'), 0o660), '/db: its group can write'],
    [
      'a program that anybody can write to',
      () => {
        writeFileSync(path('bin/tool'), '');
        chmodSync(path('bin/tool'), 0o777);
      },
      'permissions: problem: .*/bin/tool: anybody can',
    ],
    [
      "a group's queue in which the group cannot write",
      () => chmodSync(bench.queue, 0o2770),
      '/db, .* the group cannot',
    ],
    [
      "a group's queue whose files get another",
      () => chmodSync(bench.queue, 0o770),
      'do not get the group of the queue',
    ],
    ["a group's queue that is sticky", () => chmodSync(bench.queue, 0o3770), 'problem: the directory is sticky'],
    ['no folder for stdin', () => rmSync(path('stdin'), { recursive: true }), 'folders: problem: .*/q/stdin: no such'],
    [
      'a file in the place of a folder',
      () => {
        rmSync(path('data'), { recursive: true });
        writeFileSync(path('data'), '');
      },
      'folders: problem: .*/q/data: no such',
    ],
  ])('%s is a problem', async (_, spoil, expected) => {
    spoil();
    const { verdict, found } = await examine(bench);
    expect(found.join('\n')).toMatch(new RegExp(expected));
    expect(verdict).toBe('problem');
  });

  test.skipIf(!isRoot)('a queue of another user is noted (skipped where not root: chown)', async () => {
    chownSync(bench.queue, NOBODY, NOBODY);
    const { verdict, found } = await examine(bench);
    expect(verdict).toBe('note');
    expect(found).toEqual([`permissions: note: ${bench.queue}: it belongs to another user`]);
  });

  test('a queue that was made for a group is well', async () => {
    bench.queue = join(bench.directory, 'shared');
    await bench.must(['QUEUE', 'create', '--mode=group']);
    expect(await examine(bench)).toMatchObject({ verdict: 'ok', found: [] });
  });
});

describe('the database:', () => {
  test.each<[string, () => void, string]>([
    ['in WAL mode', () => sql('PRAGMA journal_mode = WAL'), 'problem: .* set journal_mode to WAL'],
    [
      'with a journal of PERSIST mode',
      () => sql('PRAGMA journal_mode = PERSIST', "UPDATE attributes SET value = 'x'"),
      'problem: .*/db-journal stays when nobody writes',
    ],
    [
      'with a journal of TRUNCATE mode',
      () => sql('PRAGMA journal_mode = TRUNCATE', "UPDATE attributes SET value = 'x'"),
      'problem: .*/db-journal stays when nobody writes',
    ],
    ['of a newer rq', () => sql('PRAGMA user_version = 99'), 'problem: .* a newer rq made it'],
    ['of an older rq', () => sql('DROP TABLE rotations', 'PRAGMA user_version = 1'), 'note: an older rq made'],
    ['that is none', () => writeFileSync(path('db'), 'garbage '.repeat(1000)), 'problem: the database is damaged'],
    ['that is empty', () => writeFileSync(path('db'), ''), 'problem: the database is damaged'],
    [
      'with a rotation that was not finished',
      () => sql("INSERT INTO rotations VALUES ('1', '/x/.p/r', '/x/r', '[]', '2026')"),
      'note: a rotation was not brought to its end: /x/r',
    ],
  ])('one %s is seen to be, and left as it is', async (_, spoil, expected) => {
    spoil();
    const before = state();
    expect((await examine(bench)).found.join('\n')).toMatch(new RegExp(`^database: ${expected}`));
    expect(state()).toEqual(before);
  });

  test('one with a damaged page is a problem, by a quick check and by a full one', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `echo ${'x'.repeat(200)}\n`.repeat(500) });
    zeroPage(path('db'), 20);
    for (const words of [[], ['--full']]) {
      expect((await examine(bench, words)).found.join('\n')).toMatch(/^database: problem: the database is damaged/m);
    }
  });

  test('one with an index that lacks entries is a problem by a full check', async () => {
    keepIndexOf(path('db'), 'IS NULL');
    await bench.must(['QUEUE', 'submit', '-q', '--tag=x', 'true']);
    keepIndexOf(path('db'), 'IS NOT NULL');
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
    expect((await examine(bench, ['--full'])).found.join('\n')).toMatch(/^database: problem: the database is damaged/m);
  });

  test('one that another process keeps locked is a problem, and the doctor does not wait for ever', async () => {
    const held = join(bench.directory, 'held');
    const locker = bench.start(['QUEUE', 'lock', 'exclusive', '--', 'sh', '-c', `echo >${held}; exec sleep 1000`]);
    await waitFor(() => readdirSync(bench.directory).includes('held'));
    const { found } = await examine(bench, ['--lock-timeout=0.2']);
    expect(found).toContainEqual(expect.stringMatching(/^database: problem: the database is locked/));
    locker.child.kill('SIGTERM');
    await locker.ended;
  });
});

describe('the lease:', () => {
  test('a writer that was killed leaves a journal and a lease, and both are noted and not touched', async () => {
    const environment = { RQ_RUNTIME_DIR: bench.environment['RQ_RUNTIME_DIR'] };
    const killed = new FixtureProcess(writer, ['spill', bench.queue, 'x', '3000'], environment);
    await waitFor(() => killed.process.signalCode === 'SIGKILL');
    const before = state();
    const { verdict, found } = await examine(bench);
    expect(found).toContainEqual(`lease: note: lease.1 is held by process ${killed.pid} of this host, which is gone`);
    expect(found).toContainEqual('database: note: a writer died and left a journal');
    expect(verdict).toBe('not checked');
    expect(state()).toEqual(before);
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
  });

  test('one that another host holds without a sign of life is noted', async () => {
    plant('lease.9', 'directory');
    const { verdict, found } = await examine(bench);
    expect(found).toEqual([`lease: note: lease.9 is held since ${LONG_AGO.toISOString()}, without a sign of life`]);
    expect(verdict).toBe('note');
  });

  test('one that seems old by the clock and is refreshed is well', async () => {
    plant('lease.9', 'directory');
    const ended = examine(bench);
    const timer = setInterval(
      () => utimesSync(path('lease.9'), LONG_AGO, new Date(LONG_AGO.getTime() + performance.now())),
      200,
    );
    const { verdict } = await ended.finally(() => clearInterval(timer));
    expect(verdict).toBe('ok');
  });

  test.each([
    ['a file', () => writeFileSync(path('lease.1.free'), '')],
    ['a directory with a file in it', () => plant('lease.1.free/x', 'directory')],
  ])('%s under a name of it stops all changes, and is a problem', async (_, spoil) => {
    spoil();
    const submit = await bench.run(['QUEUE', 'submit', '-q', '--lock-timeout=1', 'true']);
    expect(submit.status).not.toBe(0);
    const { found } = await examine(bench);
    expect(found).toContainEqual(expect.stringMatching(/^lease: problem: lease\.1\.free: not an empty directory$/));
  });

  test('a name that is none of its own is noted', async () => {
    plant('lease.old', 'directory');
    expect((await examine(bench)).found).toEqual(["lease: note: lease.old: no name of rq's"]);
  });
});

describe('files:', () => {
  test('those of no job are noted, and what a waiting job lacks is a problem', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'text' });
    for (const name of ['stdout/7', 'stdin/7', 'stdin/1.abcdef', 'data/8']) plant(name);
    expect((await examine(bench)).found).toEqual(['files: note: data/8, stdin/1.abcdef, stdin/7, stdout/7: of no job']);
    rmSync(path('stdin/1'));
    const { verdict, found } = await examine(bench);
    expect(found[0]).toBe('files: problem: stdin/1: jobs that wait are to get this, and it is not there');
    expect(verdict).toBe('problem');
  });

  test.each([
    '.look.1.abc',
    `.doctor.${ID}`,
    `db.recovering.${ID}`,
    `nodes/.h9.01234567.1.2.3.${ID}`,
    `stdin/.h9.01234567.1.2.3.${ID}`,
    `data/.h9.01234567.1.2.3.${ID}`,
    `../.q.${ID}`,
    `../.q.snapshot.${ID}`,
  ])('%s of long ago is left over, and of now it is not', async (name) => {
    plant(name);
    expect((await examine(bench)).found).toEqual([
      `leftovers: note: ${path(name)}: left by a process of rq that was killed`,
    ]);
    utimesSync(path(name), new Date(), new Date());
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
  });

  test('a rotation that was killed, and a database that recover kept, are left over', async () => {
    const partial = join(bench.directory, `.rq-rotation.${ID}`);
    const host = JSON.parse(await bench.must(['QUEUE', 'doctor', '--json'])) as { host: string };
    mkdirSync(partial);
    writeFileSync(join(partial, 'owner'), `---\nqueue: ${bench.queue}\nhost: ${host.host}\nboot: gone\n`);
    writeFileSync(path('db.damaged.20260101T000000000Z'), '');
    expect((await examine(bench)).found).toEqual([
      `leftovers: note: ${partial}: left by a process of rq that was killed`,
      `leftovers: note: ${path('db.damaged.20260101T000000000Z')}: kept by recover`,
    ]);
    renameSync(partial, join(bench.directory, 'moved'));
  });
});
