import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, Workbench } from '../../support/program.ts';

test('a relative directory of a job is resolved against PWD, with its symbolic links', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  mkdirSync(join(bench.directory, 'volume7/sub'), { recursive: true });
  const cwd = join(bench.directory, 'data');
  symlinkSync('volume7', cwd);
  const inside = { cwd, environment: { PWD: cwd } };
  for (const options of [[], ['--cwd', 'sub'], ['--cwd=.'], ['--cwd', '/tmp/../var']]) {
    await bench.must(['QUEUE', 'submit', '-q', ...options, 'true'], inside);
  }
  await bench.must(['QUEUE', 'submit', '-q', 'true'], inside);
  await bench.must(['QUEUE', 'update', '-q', '5', 'cwd=sub'], inside);
  expect((await bench.jobs()).map((job) => job['cwd'])).toEqual([cwd, join(cwd, 'sub'), cwd, '/var', join(cwd, 'sub')]);
});

test('a job in a directory that is reached by a symbolic link sees that path, and submits from it', async () => {
  const bench = new Workbench();
  mkdirSync(join(bench.directory, 'volume7/sub'), { recursive: true });
  symlinkSync('volume7', join(bench.directory, 'data'));
  const nested = 'pwd; printenv PWD; rq submit -q pwd; cd sub; rq submit -q pwd; echo pwd | rq submit -q --cwd .. -';
  await bench.must(['QUEUE', 'create']);
  symlinkSync(join(ROOT, 'bin/rq'), join(bench.queue, 'bin/rq'));
  await bench.shell(`cd data && rq ../q submit -q '${nested}' && rq ../q feed --until-empty`);
  const cwd = join(bench.directory, 'data');
  expect(bench.stdout(1)).toBe(`${cwd}\n${cwd}\n`);
  const inside = [cwd, join(cwd, 'sub'), cwd];
  expect((await bench.jobs('2-4')).map((job) => job['cwd'])).toEqual(inside);
  expect([2, 3, 4].map((jid) => bench.stdout(jid))).toEqual(inside.map((path) => `${path}\n`));
});

test('programs in a job see the path through the symbolic link, also where PWD of the feeder is another one', async () => {
  const bench = new Workbench();
  mkdirSync(join(bench.directory, 'volume7'));
  symlinkSync('volume7', join(bench.directory, 'data'));
  symlinkSync('volume7', join(bench.directory, 'other'));
  // The environment of the feeder is that of the jobs, as the login shell ends early.
  writeFileSync(join(bench.directory, '.profile'), 'exit\n');
  await bench.shell(
    'rq q create && cd data && rq ../q submit -q "env printenv PWD" && cd ../other && rq ../q feed --until-empty',
  );
  expect(bench.stdout(1)).toBe(`${join(bench.directory, 'data')}\n`);
});

test('in a directory whose name is not UTF-8, only commands that need the name are refused', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  writeFileSync(join(bench.directory, 'file'), 'text');
  const there = Buffer.concat([Buffer.from(`${bench.directory}/`), Buffer.from([0x64, 0xff])]);
  mkdirSync(there);
  symlinkSync(there, join(bench.directory, 'link'));
  const rq = (words: string, directory = "$'d\\xff'"): string => {
    const script = `cd ${directory} && ${ROOT}/bin/rq ${bench.queue} ${words} 2>&1 || echo "status $?"`;
    return execFileSync('bash', ['-c', script], { cwd: bench.directory, env: bench.environment, encoding: 'utf8' });
  };
  const refused =
    'rq: cannot use the current directory: the name of the directory is not UTF-8; change to another directory\nstatus 2\n';
  expect(rq('submit -q true')).toBe(refused);
  expect(rq('update -q 1 cwd=sub')).toBe(refused);
  expect(rq('update -q 1 priority=4')).toBe('');
  expect(rq(`update -q 1 stdin=${bench.directory}/file`)).toBe('');
  expect(rq('submit -q --cwd=/tmp true')).toBe('');
  expect(rq('submit -q true', 'link')).toBe('');
  expect(await bench.jobs()).toMatchObject([
    { priority: 4, stdin: expect.any(String) },
    { cwd: '/tmp' },
    { cwd: join(bench.directory, 'link') },
  ]);
});
