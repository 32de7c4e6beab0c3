import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { processStartTime } from '../../../src/job/process.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const NOBODY = 65534;
const rootReason = process.getuid?.() === 0 ? undefined : ': needs root';

async function newQueue(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

describe('a feeder refuses a queue', () => {
  test.each(['', 'db', 'bin'])('that others can write to: q/%s', async (name) => {
    const bench = await newQueue();
    const path = join(bench.queue, name);
    const { mode } = statSync(path);
    chmodSync(path, mode | 0o002);
    for (const options of [[], ['--trust-group']]) {
      const { status, stderr } = await bench.run(['QUEUE', 'feed', '--until-empty', ...options]);
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /^rq: cannot feed from \S+: anyone can write to this path, so other users could run commands as you; .*\n$/,
      );
    }
    chmodSync(path, mode | 0o020);
    expect((await bench.run(['QUEUE', 'feed', '--until-empty'])).stderr).toMatch(/its group can write to this path/);
    await bench.run(['QUEUE', 'feed', '--until-empty', '--trust-group', '-v', '1']);
  });

  test('whose database is a link', async () => {
    const bench = await newQueue();
    renameSync(join(bench.queue, 'db'), join(bench.directory, 'elsewhere'));
    symlinkSync('../elsewhere', join(bench.queue, 'db'));
    const { status, stderr } = await bench.run(['QUEUE', 'feed', '--until-empty']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^rq: cannot feed from \S+\/db: the path is not a regular file/),
    ]);
  });

  test.skipIf(rootReason !== undefined)(`of another user${rootReason ?? ''}`, async () => {
    const bench = await newQueue();
    chownSync(join(bench.queue, 'db'), NOBODY, NOBODY);
    const { status, stderr } = await bench.run(['QUEUE', 'feed', '--until-empty']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('this path belongs to another user')]);
  });
});

test.skipIf(rootReason !== undefined)(
  `a pid file that another user could have written is ignored${rootReason ?? ''}`,
  async () => {
    const bench = await newQueue();
    await bench.must(['QUEUE', 'feed', '--until-empty', '-v', '1']);
    const root = String(bench.environment['RQ_RUNTIME_DIR']);
    const directory = join(root, readdirSync(root)[0] ?? '');
    const record = {
      pid: process.pid,
      startTime: processStartTime(process.pid),
      host: 'h',
      queue: 'q',
      since: '',
      slots: 1,
    };
    writeFileSync(join(directory, 'feeder.pid'), JSON.stringify(record));
    expect((await bench.run(['QUEUE', 'pid'])).status).toBe(0);
    chownSync(directory, NOBODY, NOBODY);
    const { status, stderr } = await bench.run(['QUEUE', 'pid']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('no feeder is running for')]);
  },
);

describe('a runtime directory that another user could have prepared is refused:', () => {
  const plants: [string, (path: string) => void][] = [
    ['a link', (path) => symlinkSync('/tmp', path)],
    ['writable by all', (path) => execFileSync('mkdir', ['-m', '0777', path])],
    ['a file', (path) => writeFileSync(path, '')],
  ];
  if (rootReason === undefined)
    plants.push([
      'of another user',
      (path) => {
        mkdirSync(path, { mode: 0o700 });
        chownSync(path, NOBODY, NOBODY);
      },
    ]);

  test.each(plants)('%s', async (_, plant) => {
    const bench = await newQueue();
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    const root = bench.environment['RQ_RUNTIME_DIR'] ?? '';
    renameSync(root, `${root}.before`);
    plant(root);
    const { status, stderr } = await bench.run(['QUEUE', 'feed', '--until-empty']);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^rq: cannot use the runtime directory /)]);
    expect(await bench.counts()).toMatchObject({ pending: 1 });
  });
});

test.skipIf(rootReason !== undefined)(
  `only its owner can connect to the socket of the runner${rootReason ?? ''}`,
  async () => {
    const bench = await newQueue();
    const feeder = bench.start(['QUEUE', 'feed']);
    const root = bench.environment['RQ_RUNTIME_DIR'] ?? '';
    const sockets = (): string[] =>
      readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('runner.sock'));
    await waitFor(async () => (await bench.run(['QUEUE', 'pid'])).status === 0 && sockets().length === 1);
    const socket = join(root, sockets()[0] ?? '');
    chmodSync(bench.directory, 0o755);
    const script = `require('net').connect(process.argv[1]).on('error', (e) => console.log(e.code)).on('connect', () => console.log('connected'))`;
    const connectAs = (...options: string[]): string =>
      spawnSync(
        'setpriv',
        [...options, process.execPath, '-e', `${script}.on('data', (d) => process.exit())`, socket],
        {
          encoding: 'utf8',
        },
      ).stdout;
    expect(connectAs('--no-new-privs')).toBe('connected\n');
    expect(connectAs(`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups')).toBe('EACCES\n');
    expect(statSync(join(socket, '..')).mode & 0o777).toBe(0o700);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    feeder.child.kill('SIGTERM');
    await feeder.ended;
  },
);
