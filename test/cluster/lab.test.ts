import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lab, SHARE } from './support/lab.ts';
import { checkout, shellCommand } from './support/program.ts';
import { rpcsBetween } from './support/rpc-counts.ts';
import { describeInFull } from './support/scenario.ts';

const SKEW_S = 3600;

const TRANSACTION = `
  const Database = require('better-sqlite3');
  const database = new Database('${SHARE}/smoke.db');
  database.exec('CREATE TABLE IF NOT EXISTS t (host TEXT)');
  database.prepare('INSERT INTO t VALUES (?)').run(require('node:os').hostname());
  console.log(database.prepare('SELECT group_concat(host) AS hosts FROM t').get().hosts);
`;

describeInFull('a lab', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up({ clients: 2, skew: { n2: SKEW_S } });
  });

  afterAll(async () => {
    await lab?.down();
  });

  test('shows each client the files of the other', async () => {
    await lab.output('n1', `echo from-n1 >${SHARE}/seen`);
    expect(await lab.output('n2', `cat ${SHARE}/seen`)).toBe('from-n1\n');
    await lab.output('n2', `rm ${SHARE}/seen`);
    // Listing the directory asks the server. A client may cache a single name for a minute.
    expect(await lab.output('n1', `ls ${SHARE}`)).not.toContain('seen');
  });

  test('returns the exit status and the exact output of a command, or a timeout', async () => {
    expect(await lab.run('n1', `printf 'a\\n\\n'; echo b >&2; exit 7`)).toEqual({ status: 7, output: 'a\n\nb\n' });
    expect(await lab.run('n1', 'exit 255')).toEqual({ status: 255, output: '' });
    expect(await lab.run('n1', 'sleep 1000', { timeoutMs: 1000 })).toEqual({ status: 124, output: '' });
  });

  test('sets the clock of a host ahead', async () => {
    const [first, second] = await Promise.all([lab.output('n1', 'date +%s'), lab.output('n2', 'date +%s')]);
    expect(Math.abs(Number(second) - Number(first) - SKEW_S)).toBeLessThan(5);
  });

  test('runs better-sqlite3 of this checkout on the share', async () => {
    const node = `cd ${shellCommand(checkout)} && ${shellCommand('node', '-e', TRANSACTION)}`;
    expect(await lab.output('n1', node)).toBe('n1\n');
    expect(await lab.output('n2', node)).toBe('n1,n2\n');
  });

  test('counts the requests of a client to the server', async () => {
    await lab.output('n1', `mkdir -p ${SHARE}/counted`);
    const before = await lab.rpcCounts('n1');
    await lab.output('n1', `mkdir ${SHARE}/counted/a ${SHARE}/counted/b`);
    const { total, operations } = rpcsBetween(before, await lab.rpcCounts('n1'));
    expect(operations['CREATE']).toBe(2);
    expect(total).toBeLessThan(10);
  });

  test('watches and ends a command in the background', async () => {
    const job = await lab.start('n1', 'echo begun; sleep 1000');
    expect(await job.waitForOutput('begun')).toBe('begun\n');
    await job.signal('TERM');
    expect(await job.waitForExit()).toBe(143);
  });

  test('reboots a client after a power cut, without the contents of its memory', async () => {
    await lab.output('n1', `echo kept >${SHARE}/kept && sync && echo lost >/tmp/lost`);
    await lab.kill('n1');
    await expect(lab.run('n1', 'true', { timeoutMs: 1000 })).rejects.toThrow('n1 does not answer');
    await lab.boot('n1');
    expect(await lab.run('n1', `cat ${SHARE}/kept; ls /tmp/lost`)).toMatchObject({ status: 2, output: /^kept\n/ });
  });

  test('makes a disconnected client wait until it is connected again', async () => {
    await lab.cut('n1');
    const write = await lab.start('n1', `touch ${SHARE}/late`);
    await expect(write.waitForExit({ timeoutMs: 2000 })).rejects.toThrow('no end after');
    expect(await lab.output('n2', `ls ${SHARE}`)).not.toContain('late');
    await lab.heal('n1');
    expect(await write.waitForExit()).toBe(0);
    expect(await lab.output('n2', `ls ${SHARE}`)).toContain('late');
  });

  test('freezes a host until it is thawed', async () => {
    const ticks = await lab.start('n1', `while :; do echo tick >>${SHARE}/ticks; sleep 0.05; done`);
    await lab.output('n2', `until [ -s ${SHARE}/ticks ]; do sleep 0.1; done`);
    await lab.freeze('n1');
    await expect(lab.run('n1', 'true', { timeoutMs: 1000 })).rejects.toThrow('n1 does not answer');
    const [before, after] = (await lab.output('n2', `cd ${SHARE}; wc -l <ticks; sleep 1; wc -l <ticks`)).split('\n');
    expect(after).toBe(before);
    await lab.thaw('n1');
    const more = `until [ $(wc -l <${SHARE}/ticks) -gt ${Number(after)} ]; do sleep 0.1; done`;
    expect(await lab.run('n2', more)).toMatchObject({ status: 0 });
    await ticks.signal('KILL');
  });

  test('lets clients continue after a power cut of the server, with the locks that they hold', async () => {
    const holder = await lab.start(
      'n1',
      `exec 9>${SHARE}/locked; flock 9; echo locked; read -r never <>/dev/null; sleep 1000`,
    );
    await holder.waitForOutput('locked');
    await lab.kill('server');
    const write = await lab.start('n2', `touch ${SHARE}/meanwhile`);
    await lab.boot('server');
    expect(await write.waitForExit()).toBe(0);
    expect(await lab.run('n2', `flock -w 15 ${SHARE}/locked true`)).toMatchObject({ status: 1 });
    await holder.signal('KILL');
  });
});
