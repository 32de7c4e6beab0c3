import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { benchWithQueue, examine, type Report, readReport } from '../../support/doctor.ts';
import { ROOT, type Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const isRoot = process.getuid?.() === 0;
const whyNoMounts = isRoot ? '' : ' (skipped: only root can mount)';
const NOBODY = 65_534;
const TRIED = ['locks', 'clock'];

let bench: Workbench;
const mounted: string[] = [];
beforeEach(async () => {
  bench = await benchWithQueue();
});

afterEach(() => {
  for (const point of mounted.splice(0)) execFileSync('umount', ['-l', point]);
});

function mount(...words: string[]): void {
  execFileSync('mount', words);
  mounted.push(words.at(-1) ?? '');
}

/** A directory on a small file system. */
function smallDisk(options: string): string {
  const point = join(bench.directory, 'small');
  mkdirSync(point);
  mount('-t', 'tmpfs', '-o', options, 'rq-test', point);
  return point;
}

function probes(): string[] {
  return readdirSync(bench.queue).filter((name) => name.startsWith('.doctor.'));
}

test.each(['SIGTERM', 'SIGINT'] as const)('doctor leaves no files when %s ends it', async (signal) => {
  const doctor = bench.start(['QUEUE', 'doctor']);
  await waitFor(() => probes().length === 1);
  doctor.child.kill(signal);
  expect((await doctor.ended).signal).toBe(signal);
  expect(probes()).toEqual([]);
});

describe.skipIf(!isRoot)(`a disk that is nearly full${whyNoMounts}`, () => {
  test('little free space is a problem, and a full disk prevents checks', async () => {
    bench.queue = join(smallDisk('size=3m'), 'q');
    await bench.must(['QUEUE', 'create']);
    expect((await examine(bench)).found).toEqual([expect.stringMatching(/^space: problem: 2\.\d MiB are free$/)]);
    const { bavail, bsize } = statfsSync(bench.queue);
    writeFileSync(join(bench.queue, '..', 'filler'), Buffer.alloc(bavail * bsize));
    const { verdict, found } = await examine(bench);
    expect(found).toContainEqual('space: problem: the disk or your quota is full');
    expect(verdict).toBe('problem');
  });

  test('some free space is noted', async () => {
    bench.queue = join(smallDisk('size=100m'), 'q');
    await bench.must(['QUEUE', 'create']);
    expect((await examine(bench)).found).toEqual([expect.stringMatching(/^space: note: 99\.\d MiB are free$/)]);
  });

  test('few free inodes are a problem', async () => {
    bench.queue = join(smallDisk('size=1g,nr_inodes=500'), 'q');
    await bench.must(['QUEUE', 'create']);
    expect((await examine(bench)).found).toEqual([expect.stringMatching(/^inodes: problem: \d+ inodes are free$/)]);
  });

  test('a full file system of the runtime directory is a problem', async () => {
    const directory = join(smallDisk('size=512k,mode=700'), 'run');
    const { found } = await examine(bench, [], { RQ_RUNTIME_DIR: directory });
    expect(found).toEqual([`runtime: problem: the file system of ${directory} is full`]);
  });
});

describe.skipIf(!isRoot)(`a read-only queue${whyNoMounts}`, () => {
  test('on a read-only mount, skipped checks are reported', async () => {
    const point = join(bench.directory, 'view');
    mkdirSync(point);
    mount('--bind', bench.queue, point);
    execFileSync('mount', ['-o', 'remount,ro,bind', point]);
    bench.queue = point;
    const { status, checks, found } = await examine(bench);
    expect(status).toBe(0);
    expect(TRIED.map((name) => checks[name])).toEqual(TRIED.map(() => 'not checked'));
    expect(found[0]).toBe(
      `locks: not checked: cannot check the file system of ${point}: the file system is mounted read-only`,
    );
    expect([checks['database'], checks['files'], checks['permissions']]).toEqual(['ok', 'ok', 'note']);
  });

  test('for another user, skipped checks and unreadable files are reported', async () => {
    // The user nobody cannot enter the directory of the checkout.
    const program = join(bench.directory, 'rq');
    for (const name of ['bin', 'dist', 'package.json'])
      cpSync(join(ROOT, name), join(program, name), { recursive: true });
    const modules = join(program, 'node_modules');
    for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path']) {
      cpSync(join(ROOT, 'node_modules', name), join(modules, name), { recursive: true, dereference: true });
    }
    chmodSync(bench.directory, 0o755);
    chmodSync(bench.queue, 0o755);
    for (const name of readdirSync(bench.queue)) chmodSync(join(bench.queue, name), name === 'db' ? 0o644 : 0o755);
    const open = await asNobody(program);
    expect(open).toMatchObject({ status: 0, checks: { database: 'ok', files: 'ok' } });
    expect(TRIED.map((name) => open.checks[name])).toEqual(TRIED.map(() => 'not checked'));
    expect(open.found).toContainEqual(
      expect.stringMatching(/^permissions: note: you have no permission to write to \., db, /),
    );

    chmodSync(join(bench.queue, 'db'), 0o600);
    chmodSync(join(bench.queue, 'stdin'), 0o700);
    const closed = await asNobody(program);
    expect(closed.checks).toMatchObject({ database: 'not checked', files: 'not checked', running: 'not checked' });
    expect(closed.found).toContainEqual('permissions: problem: you have no permission to read db, stdin');
  });

  test('doctor does not write to a snapshot', async () => {
    await bench.must(['QUEUE', 'snapshot', 'copy']);
    bench.queue = join(bench.directory, 'copy');
    const { status, checks } = await examine(bench);
    expect([status, checks['locks'], checks['database']]).toEqual([0, 'not checked', 'ok']);
  });
});

async function asNobody(program: string): Promise<Report> {
  const child = spawn(process.execPath, [join(program, 'bin/rq'), bench.queue, 'doctor', '--json'], {
    uid: NOBODY,
    gid: NOBODY,
    cwd: '/',
    env: { ...bench.environment, RQ_RUNTIME_DIR: '/tmp/rq-nobody' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return readReport({ status, stdout, stderr });
}
