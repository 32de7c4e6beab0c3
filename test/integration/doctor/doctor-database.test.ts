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

/** Changes the database as a program other than rq would. */
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
      'problem: .*/db-journal remains while no process is writing',
    ],
    [
      'with a journal of TRUNCATE mode',
      () => sql('PRAGMA journal_mode = TRUNCATE', "UPDATE attributes SET value = 'x'"),
      'problem: .*/db-journal remains while no process is writing',
    ],
    [
      'of a newer version',
      () => sql('PRAGMA user_version = 99'),
      'problem: .* the database requires a newer version of rq',
    ],
    [
      'of an older version',
      () => sql('DROP TABLE rotations', 'PRAGMA user_version = 1'),
      'problem: an older version of rq created',
    ],
    [
      'that is not a database',
      () => writeFileSync(inQueue('db'), 'garbage '.repeat(1000)),
      'problem: the database is damaged',
    ],
    ['that is empty', () => writeFileSync(inQueue('db'), ''), 'problem: the database is damaged'],
    [
      'with an incomplete rotation',
      () => sql("INSERT INTO rotations VALUES ('1', '/x/.p/r', '/x/r', '[]', '2026')"),
      'note: a rotation was not completed: /x/r',
    ],
  ])('one %s is reported and not changed', async (_, spoil, expected) => {
    spoil();
    const before = stateOf(bench.queue);
    expect((await examine(bench)).found.join('\n')).toMatch(new RegExp(`^database: ${expected}`));
    expect(stateOf(bench.queue)).toEqual(before);
  });

  test('a damaged page is found by a quick and by a full check', async () => {
    await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `echo ${'x'.repeat(200)}\n`.repeat(500) });
    zeroPage(inQueue('db'), 20);
    for (const words of [[], ['--full']]) {
      expect((await examine(bench, words)).found.join('\n')).toMatch(/^database: problem: the database is damaged/m);
    }
  });

  test('an index that lacks entries is found by a full check', async () => {
    keepIndexOf(inQueue('db'), 'IS NULL');
    await bench.must(['QUEUE', 'submit', '-q', '--tag=x', 'true']);
    keepIndexOf(inQueue('db'), 'IS NOT NULL');
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
    expect((await examine(bench, ['--full'])).found.join('\n')).toMatch(/^database: problem: the database is damaged/m);
  });

  test('a locked database is a problem, and doctor stops waiting', async () => {
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
  test('the journal and the lease of a killed writer are noted and not changed', async () => {
    const environment = { RQ_RUNTIME_DIR: bench.environment['RQ_RUNTIME_DIR'] };
    const killed = new FixtureProcess(writer, ['spill', bench.queue, 'x', '3000'], environment);
    await waitFor(() => killed.process.signalCode === 'SIGKILL');
    const before = stateOf(bench.queue);
    const { verdict, found } = await examine(bench);
    expect(found).toContainEqual(`lease: note: the dead process ${killed.pid} on this host holds lease.1`);
    expect(found).toContainEqual('database: note: a writer died and left a journal');
    expect(verdict).toBe('not checked');
    expect(stateOf(bench.queue)).toEqual(before);
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
  });

  test('a lease of another host that is not refreshed is noted', async () => {
    plantOld(inQueue('lease.9'), 'directory');
    const { verdict, found } = await examine(bench);
    expect(found).toEqual([
      `lease: note: lease.9 has been held since ${LONG_AGO.toISOString()} and the holder does not refresh it`,
    ]);
    expect(verdict).toBe('note');
  });

  test('a lease that seems old but is refreshed is ok', async () => {
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
  ])('%s with a name of the lease prevents all changes, and is a problem', async (_, spoil) => {
    spoil();
    const submit = await bench.run(['QUEUE', 'submit', '-q', '--lock-timeout=1', 'true']);
    expect(submit.status).not.toBe(0);
    const { found } = await examine(bench);
    expect(found).toContainEqual(expect.stringMatching(/^lease: problem: lease\.1\.free: not an empty directory$/));
  });

  test('an unknown name that starts with lease. is noted', async () => {
    plantOld(inQueue('lease.old'), 'directory');
    expect((await examine(bench)).found).toEqual(['lease: note: lease.old: not a name that rq uses']);
  });
});
