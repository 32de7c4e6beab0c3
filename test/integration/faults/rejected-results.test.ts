import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plantJob, tamper } from '../../support/hostile.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

test('a result that the database rejects does not prevent others, and the next feeder reports it again', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const trigger = `CREATE TRIGGER mine BEFORE UPDATE ON jobs WHEN new.state = 'finished' AND new.jid = 1
    BEGIN SELECT raise(ABORT, 'not this one'); END`;
  tamper(bench, (database) => database.exec(trigger));
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'exit 3\nexit 4\nexit 5\n' });
  const log = join(bench.directory, 'log');
  const feeder = bench.start(['QUEUE', 'feed', '--log', log]);
  await waitFor(async () => (await bench.jobs('finished')).length === 2);
  await waitFor(() => /"jid":1,.*not this one.*set aside a result/.test(readFileSync(log, 'utf8')));
  await bench.must(['QUEUE', 'submit', '-q', 'exit 6']);
  await waitFor(async () => (await bench.jobs('finished')).length === 3);
  const { stderr } = await bench.run(['QUEUE', 'shutdown']);
  expect(stderr).toContain('1 job is still running');
  expect((await feeder.ended).status).toBe(0);
  expect(await bench.jobs('1')).toMatchObject([{ state: 'running' }]);
  tamper(bench, (database) => database.exec('DROP TRIGGER mine'));
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect((await bench.jobs()).map(({ exit_status }) => exit_status)).toEqual([3, 4, 5, 6]);
});

test('a job that the database does not let change does not prevent that the others of a lost host are requeued', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'configure', 'lost_after=10']);
  const running = { state: 'running', started: '2026-01-01T00:00:00.000Z', runner: 'gone', boot: 'b', journal: 'j' };
  plantJob(bench, { ...running, attempt: 1, claim: 1 });
  plantJob(bench, { ...running, attempt: 1, claim: 1, restartable: 1 });
  const trigger = 'CREATE TRIGGER mine BEFORE UPDATE ON jobs WHEN new.jid = 1 BEGIN SELECT raise(FAIL, 1); END';
  tamper(bench, (database) => database.exec(trigger));
  const feeder = bench.start(['QUEUE', 'feed', '--max_sleep=0.5']);
  await waitFor(async () => (await bench.jobs('finished')).length === 1, 60_000);
  expect(await bench.jobs()).toMatchObject([{ state: 'running' }, { jid: 2, attempt: 2, exit_status: 0 }]);
  await bench.must(['QUEUE', 'shutdown']);
  await feeder.ended;
});
