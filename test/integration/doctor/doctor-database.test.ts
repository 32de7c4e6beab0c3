import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { keepIndexOf, zeroPage } from '../../support/damage.ts';
import { benchWithQueue, examine, LONG_AGO, plantOld, stateOf } from '../../support/doctor.ts';
import { bundleFixture, FixtureProcess } from '../../support/fixture.ts';
import type { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

let writer: string;
beforeAll(async () => {
  writer = await bundleFixture('writer');
});

let bench: Workbench;
beforeEach(async () => {
  bench = await benchWithQueue();
});

function inQueue(name: string): string {
  return join(bench.queue, name);
}

/** Changes the database as any program can, that is not rq. */
function sql(...statements: string[]): void {
  const connection = Connection.open(inQueue('db'), { busyMs: 0 });
  for (const statement of statements) connection.execute(statement);
  connection.close();
}

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
    ['that is none', () => writeFileSync(inQueue('db'), 'garbage '.repeat(1000)), 'problem: the database is damaged'],
    ['that is empty', () => writeFileSync(inQueue('db'), ''), 'problem: the database is damaged'],
    [
      'with a rotation that was not finished',
      () => sql("INSERT INTO rotations VALUES ('1', '/x/.p/r', '/x/r', '[]', '2026')"),
      'note: a rotation was not brought to its end: /x/r',
    ],
  ])('one %s is seen to be, and left as it is', async (_, spoil, expected) => {
    spoil();
    const before = stateOf(bench.queue);
    expect((await examine(bench)).found.join('\n')).toMatch(new RegExp(`^database: ${expected}`));
    expect(stateOf(bench.queue)).toEqual(before);
  });

  test('one with a damaged page is a problem, by a quick check and by a full one', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `echo ${'x'.repeat(200)}\n`.repeat(500) });
    zeroPage(inQueue('db'), 20);
    for (const words of [[], ['--full']]) {
      expect((await examine(bench, words)).found.join('\n')).toMatch(/^database: problem: the database is damaged/m);
    }
  });

  test('one with an index that lacks entries is a problem by a full check', async () => {
    keepIndexOf(inQueue('db'), 'IS NULL');
    await bench.must(['QUEUE', 'submit', '-q', '--tag=x', 'true']);
    keepIndexOf(inQueue('db'), 'IS NOT NULL');
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
    const before = stateOf(bench.queue);
    const { verdict, found } = await examine(bench);
    expect(found).toContainEqual(`lease: note: lease.1 is held by process ${killed.pid} of this host, which is gone`);
    expect(found).toContainEqual('database: note: a writer died and left a journal');
    expect(verdict).toBe('not checked');
    expect(stateOf(bench.queue)).toEqual(before);
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
  });

  test('one that another host holds without a sign of life is noted', async () => {
    plantOld(inQueue('lease.9'), 'directory');
    const { verdict, found } = await examine(bench);
    expect(found).toEqual([`lease: note: lease.9 is held since ${LONG_AGO.toISOString()}, without a sign of life`]);
    expect(verdict).toBe('note');
  });

  test('one that seems old by the clock and is refreshed is well', async () => {
    plantOld(inQueue('lease.9'), 'directory');
    const ended = examine(bench);
    const timer = setInterval(
      () => utimesSync(inQueue('lease.9'), LONG_AGO, new Date(LONG_AGO.getTime() + performance.now())),
      200,
    );
    const { verdict } = await ended.finally(() => clearInterval(timer));
    expect(verdict).toBe('ok');
  });

  test.each([
    ['a file', () => writeFileSync(inQueue('lease.1.free'), '')],
    ['a directory with a file in it', () => plantOld(inQueue('lease.1.free/x'), 'directory')],
  ])('%s under a name of it stops all changes, and is a problem', async (_, spoil) => {
    spoil();
    const submit = await bench.run(['QUEUE', 'submit', '-q', '--lock-timeout=1', 'true']);
    expect(submit.status).not.toBe(0);
    const { found } = await examine(bench);
    expect(found).toContainEqual(expect.stringMatching(/^lease: problem: lease\.1\.free: not an empty directory$/));
  });

  test('a name that is none of its own is noted', async () => {
    plantOld(inQueue('lease.old'), 'directory');
    expect((await examine(bench)).found).toEqual(["lease: note: lease.old: no name of rq's"]);
  });
});
