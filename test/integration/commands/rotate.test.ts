import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CrashPoint } from '../../../src/job/crash-points.ts';
import { ROOT, Workbench } from '../../support/program.ts';

async function queueWithEnded(jobs = 1): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await end(bench, jobs);
  return bench;
}

async function end(bench: Workbench, jobs: number): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'echo $RQ_JID\n'.repeat(jobs) });
  await bench.must(['QUEUE', 'feed', '--until-empty']);
}

describe('a killed rotation whose directory another host does not see', () => {
  const points: CrashPoint[] = ['rotation-committed', 'rotation-placed', 'rotation-files-removed'];
  test.each(points)('is finished by a host that sees the directory: %s', async (point) => {
    const bench = await queueWithEnded(2);
    const [place, away] = ['rot', 'away'].map((name) => join(bench.directory, name)) as [string, string];
    mkdirSync(place);
    const crash = { RQ_CRASH_AT: `${point}:${join(bench.directory, 'crashed')}` };
    const killed = await bench.run(['QUEUE', 'rotate', 'rot/old'], { environment: crash });
    expect(killed.signal).toBe('SIGKILL');
    renameSync(place, away);
    mkdirSync(place);
    await end(bench, 1);
    const other = await bench.run(['QUEUE', 'rotate', 'rot/other']);
    expect([other.status, other.stderr]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(`^rq: the rotation to ${place}/old is not finished, .* on a host that has it, .*\n$`),
      ),
    ]);
    expect(readdirSync(place)).toEqual(['other']);
    renameSync(join(place, 'other'), join(bench.directory, 'other'));
    rmdirSync(place);
    renameSync(away, place);
    await bench.must(['QUEUE', 'rotate', 'rot/again']);
    expect(readdirSync(place)).toEqual(['old']);
    const found = JSON.parse(await bench.must(['rot/old', 'list', '--json'])) as { jid: number }[];
    expect(found.map(({ jid }) => jid)).toEqual([1, 2]);
    expect(await bench.must(['rot/old', 'stdout', '2'])).toBe('2\n');
    expect(readdirSync(join(bench.queue, 'stdout'))).toEqual([]);
  });
});

describe('a committed rotation whose temporary location was cleaned up', () => {
  /** Commits a rotation of the jobs 1 and 2 to `rot/TARGET`, and returns the path of its temporary directory. */
  async function committed(target: string): Promise<{ bench: Workbench; temporary: string }> {
    const bench = await queueWithEnded(2);
    mkdirSync(join(bench.directory, 'rot'));
    const crash = { RQ_CRASH_AT: `rotation-committed:${join(bench.directory, 'crashed')}` };
    expect((await bench.run(['QUEUE', 'rotate', `rot/${target}`], { environment: crash })).signal).toBe('SIGKILL');
    const [name = ''] = readdirSync(join(bench.directory, 'rot')).filter((each) => each.startsWith('.rq-rotation.'));
    return { bench, temporary: join(bench.directory, 'rot', name) };
  }

  async function expectUnfinished(bench: Workbench, reason: string): Promise<void> {
    const { status, stdout, stderr } = await bench.run(['QUEUE', 'rotate', 'later']);
    expect([status, stdout]).toEqual([0, '---\nrotation: null\njobs: 0\n']);
    expect(stderr).toMatch(
      new RegExp(
        `the rotation to \\S+ is not finished, and the files of its jobs stay in the queue: .*${reason}.*\\n$`,
      ),
    );
    expect(readdirSync(join(bench.queue, 'stdout'))).toEqual(['1', '2']);
  }

  test.each(['old', 'old.tgz'])('keeps the outputs, and one line reports this: %s', async (target) => {
    const { bench, temporary } = await committed(target);
    rmSync(join(temporary, target), { recursive: true });
    await expectUnfinished(bench, `${temporary}/${target} was removed or moved away`);
    rmSync(temporary, { recursive: true });
    await expectUnfinished(bench, `${temporary} does not exist on this host`);
    const [, advice = ''] = /run: rq (.*)\n/.exec((await bench.run(['QUEUE', 'rotate', 'later'])).stderr) ?? [];
    await bench.shell(`rq ${advice}`);
    expect((await bench.run(['QUEUE', 'rotate', 'later'])).stderr).not.toContain('is not finished');
  });

  test.each(['old', 'old.tgz'])('keeps the outputs if the list of its files was removed: %s', async (target) => {
    const { bench, temporary } = await committed(target);
    const list = join(temporary, '.rq-rotation.files');
    const place = join(bench.directory, 'rot');
    renameSync(list, join(bench.directory, 'away'));
    for (const _ of [1, 2]) {
      await expectUnfinished(bench, `the rotation is in ${place}/${target}, but ${list} was removed or moved away`);
      expect(readdirSync(place)).toEqual([basename(temporary), target].sort());
    }
    renameSync(join(bench.directory, 'away'), list);
    expect((await bench.run(['QUEUE', 'rotate', 'later'])).stderr).not.toContain('is not finished');
    expect(readdirSync(place)).toEqual([target]);
    expect(readdirSync(join(bench.queue, 'stdout'))).toEqual([]);
  });

  test.each(['old', 'old.tgz'])('leaves the archive if its record is removed instead: %s', async (target) => {
    const { bench, temporary } = await committed(target);
    rmSync(join(temporary, '.rq-rotation.files'));
    const [, advice = ''] = /run: rq (.*)\n/.exec((await bench.run(['QUEUE', 'rotate', 'later'])).stderr) ?? [];
    expect(advice).toContain('delete from rotations');
    await bench.shell(`rq ${advice}`);
    expect((await bench.run(['QUEUE', 'rotate', 'rot/later'])).stderr).not.toContain('is not finished');
    expect(readdirSync(join(bench.directory, 'rot'))).toEqual([target]);
    expect(readdirSync(join(bench.queue, 'stdout'))).toEqual(['1', '2']);
  });

  test.each(['old', 'old.tgz'])('keeps the outputs if something else is at its path: %s', async (target) => {
    const { bench, temporary } = await committed(target);
    rmSync(join(temporary, target), { recursive: true });
    await end(bench, 1);
    const { status, stdout } = await bench.run(['QUEUE', 'rotate', `rot/${target}`]);
    expect([status, stdout]).toEqual([0, `---\nrotation: ${join(bench.directory, 'rot', target)}\njobs: 1\n`]);
    await expectUnfinished(bench, `${temporary}/${target} was removed or moved away`);
  });

  test.each(['old', 'old.tgz'])('finishes if it was moved back: %s', async (target) => {
    const { bench, temporary } = await committed(target);
    renameSync(join(temporary, target), join(bench.directory, 'away'));
    await expectUnfinished(bench, `${temporary}/${target} was removed or moved away`);
    renameSync(join(bench.directory, 'away'), join(temporary, target));
    await bench.run(['QUEUE', 'rotate', 'later']);
    expect(readdirSync(join(bench.directory, 'rot'))).toEqual([target]);
    expect(readdirSync(join(bench.queue, 'stdout'))).toEqual([]);
  });

  test.each(['old', 'old.tgz'])('finishes if it was moved to its path, or beside it: %s', async (target) => {
    for (const name of [target, `${target}.2`]) {
      const { bench, temporary } = await committed(target);
      const place = join(bench.directory, 'rot');
      if (name !== target) writeFileSync(join(place, target), 'mine');
      renameSync(join(temporary, target), join(place, name));
      await bench.run(['QUEUE', 'rotate', 'later']);
      expect(readdirSync(place)).toEqual([...new Set([target, name])]);
      expect(readdirSync(join(bench.queue, 'stdout'))).toEqual([]);
    }
  });
});

/** Installs a tar that runs a line of shell before the real tar. Returns the PATH that finds it. */
function planted(bench: Workbench, line: string): string {
  const folder = join(bench.directory, 'tools');
  mkdirSync(folder);
  const path = process.env['PATH'] ?? '';
  writeFileSync(join(folder, 'tar'), `#!/bin/sh\n${line}\nPATH=${path} exec tar "$@"\n`, { mode: 0o755 });
  return `${folder}:${path}`;
}

test('a file that appears at the path is not overwritten, and the actual path is printed', async () => {
  const bench = await queueWithEnded();
  const target = join(bench.directory, 'r.tgz');
  const environment = { PATH: planted(bench, `echo mine >${target}`) };
  expect(await bench.must(['QUEUE', 'rotate', target], { environment })).toBe(`---\nrotation: ${target}.2\njobs: 1\n`);
  expect(readFileSync(target, 'utf8')).toBe('mine\n');
  await bench.shell('mkdir x && tar xzf r.tgz.2 -C x --strip-components=1');
  expect(await bench.must(['x', 'stdout', '1'])).toBe('1\n');
});

test('a process that a job left behind may write to its output while it is archived', async () => {
  const bench = await queueWithEnded();
  const output = join(bench.queue, 'stdout/1');
  const changing = 'echo "tar: r/stdout/1: file changed as we read it" >&2; exit 1';
  const line = `[ "$1" != --create ] || { $TAR "$@"; echo more >>${output}; ${changing}; }`;
  const environment = { PATH: planted(bench, line), TAR: execFileSync('which', ['tar'], { encoding: 'utf8' }).trim() };
  await bench.must(['QUEUE', 'rotate', 'r.tgz'], { environment });
  await bench.shell('mkdir x && tar xzf r.tgz -C x --strip-components=1');
  expect(await bench.must(['x', 'stdout', '1'])).toBe('1\n');
});

test('a job that is resubmitted while it is archived stays in the queue with its files', async () => {
  const bench = await queueWithEnded(3);
  const mark = join(bench.directory, 'again');
  const line = `[ "$1" != --compare ] || [ -e ${mark} ] || { : >${mark}; "$RQ" ${bench.queue} resubmit 2 >/dev/null; }`;
  const environment = { PATH: planted(bench, line), RQ: join(ROOT, 'bin/rq') };
  await bench.must(['QUEUE', 'rotate', 'r.tgz'], { environment });
  expect(await bench.jobs()).toMatchObject([{ jid: 2, state: 'pending' }]);
  expect(readdirSync(join(bench.queue, 'stdout'))).toEqual(['2']);
  await bench.shell('mkdir x && tar xzf r.tgz -C x --strip-components=1');
  expect(readdirSync(join(bench.directory, 'x/stdout'))).toEqual(['1', '3']);
  expect(readdirSync(bench.directory).filter((name) => name.startsWith('.rq-'))).toEqual([]);
});

test('a name that looks like an option is not taken for one', async () => {
  const bench = await queueWithEnded();
  const target = join(bench.directory, '--version.tgz');
  await bench.must(['QUEUE', 'rotate', target]);
  await bench.shell('mkdir x && tar xzf ./--version.tgz -C x --strip-components=1');
  expect(await bench.must(['x', 'stdout', '1'])).toBe('1\n');
});

describe('data', () => {
  test('of a symbolic link is a complete copy of its target', async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    await bench.shell('mkdir set && echo in >set/file && ln -s file set/link && ln -s set current');
    await bench.must(['QUEUE', 'submit', '-q', '--data=current', 'cat $RQ_DATA/link; readlink $RQ_DATA/link']);
    await bench.shell('rm -r set current');
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    expect(bench.stdout(1)).toBe('in\nfile\n');
  });

  test('that contains a pipe is backed up and rotated without the pipe', async () => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    await bench.shell('mkdir set && echo in >set/file');
    await bench.must(['QUEUE', 'submit', '-q', '--data=set', 'mkfifo $RQ_DATA/pipe']);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    await bench.must(['QUEUE', 'backup', 'saved']);
    await bench.must(['QUEUE', 'rotate', 'old']);
    for (const copy of ['saved', 'old']) expect(readdirSync(join(bench.directory, copy, 'data/1'))).toEqual(['file']);
    expect(readdirSync(join(bench.queue, 'data'))).toEqual([]);
  });
});

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const rootReason = isRoot ? '' : ' (skipped: only root can give files to others)';
/** Runs a command as root, but subject to file modes like any other user. */
const BOUND = isRoot ? 'setpriv --bounding-set=-dac_override,-dac_read_search,-fowner' : '';

describe('files of jobs', () => {
  async function queueWithData(): Promise<Workbench> {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    await bench.shell('mkdir set');
    await bench.must(['QUEUE', 'submit', '-q', '--data=set', 'mkdir -p $RQ_DATA/a/b; echo x >$RQ_DATA/a/b/c']);
    await bench.must(['QUEUE', 'feed', '--until-empty']);
    return bench;
  }

  test.each(['delete 1', 'rotate old', 'rotate old.tgz'])(
    'are removed even if their directories are read-only: %s',
    async (words) => {
      const bench = await queueWithData();
      await bench.shell('chmod -R a-w q/data/1/');
      const { stderr } = await bench.shell(`${BOUND} rq q ${words}`);
      expect(stderr).toBe('');
      expect(readdirSync(join(bench.queue, 'data'))).toEqual([]);
      expect(readdirSync(bench.directory).filter((name) => name.startsWith('.rq'))).toEqual([]);
      await bench.shell('chmod -R u+w .');
    },
  );

  test.skipIf(!isRoot)(`that cannot be removed are reported, and other jobs are rotated${rootReason}`, async () => {
    for (const [words, printed] of [
      ['delete 1 -f jid', '---\n-\n  jid: 1\n'],
      ['rotate old -f jobs', '---\njobs: 1\n'],
    ] as const) {
      const bench = await queueWithData();
      const directory = join(bench.queue, 'data/1/a/b');
      chownSync(directory, NOBODY, NOBODY);
      const { stdout, stderr } = await bench.shell(`${BOUND} rq q ${words}`);
      expect([stdout, stderr]).toEqual([
        printed,
        expect.stringMatching(
          new RegExp(`^rq: .* succeeded, but could not remove ${bench.queue}/data/[0-9a-f-]{36}\\.1;.*\\n$`),
        ),
      ]);
      expect(await bench.jobs()).toEqual([]);
      await end(bench, 1);
      expect((await bench.shell(`${BOUND} rq q rotate again`)).stderr).toBe('');
    }
  });
});

test('a file with the name of the link to a job’s stdin does not belong to a job without stdin', async () => {
  const bench = await queueWithEnded();
  const stray = join(bench.queue, 'stdin/1');
  writeFileSync(stray, 'of another');
  for (const mode of ['stdin', 'stdin4']) {
    expect(await bench.run(['QUEUE', mode, '1'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'rq: job 1 has no stdin: the job was submitted without --stdin\n',
    });
  }
  await bench.must(['QUEUE', 'rotate', 'old']);
  expect(readdirSync(join(bench.directory, 'old/stdin'))).toEqual([]);
  expect(readFileSync(stray, 'utf8')).toBe('of another');
});
