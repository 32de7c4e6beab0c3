import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

test('in a queue of a group, the umask of one user does not keep the others out', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create', '--mode=group']);
  await bench.shell('umask 077; echo in | rq q submit -q --stdin cat');
  const held = "find q -name 'lease.*' ! -name '*.free' -printf '%m\\n'";
  expect((await bench.shell(`umask 077; rq q lock write -- ${held}`)).stdout).toMatch(/^2?770\n$/);
  await bench.shell('umask 077; rq q feed --until-empty --trust-group');
  const denied = await bench.shell("find q ! -name '*.free' ! -perm -g+r -o -type d ! -name '*.free' ! -perm -g+rx");
  expect(denied.stdout).toBe('');
  const files = await bench.shell("find q/std* -type f -printf '%h %m\\n' | sort");
  expect(files.stdout).toBe('q/stderr 660\nq/stdin 660\nq/stdout 660\n');
});
