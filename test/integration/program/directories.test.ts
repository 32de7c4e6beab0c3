import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

test('a relative directory of a job is below the path by which the shell is where it is', async () => {
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
