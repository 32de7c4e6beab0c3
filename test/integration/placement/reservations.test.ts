import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const FEED = ['QUEUE', 'feed', '--max_feed=4', '--min_sleep=0.1', '--max_sleep=0.3'];
const SMALL = 120;

/** A wide job between four long jobs and many small ones, which can overtake it. Returns its jid. */
async function submitMix(bench: Workbench): Promise<number> {
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'sleep 1\nsleep 1.2\nsleep 1.4\nsleep 1.6\n' });
  const wide = await bench.must(['QUEUE', 'submit', '--plain', '--cpus=4', 'true']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'sleep 0.3\n'.repeat(SMALL) });
  return Number(wide);
}

/** How many small jobs started before the wide one, and how many after it. */
async function startsAround(bench: Workbench, wide: number): Promise<{ before: number; after: number }> {
  const started = new Map((await bench.jobs()).map((job) => [Number(job['jid']), String(job['started'])]));
  const own = started.get(wide) ?? '';
  const small = [...started].filter(([jid]) => jid > wide).map(([, time]) => time);
  return { before: small.filter((time) => time < own).length, after: small.filter((time) => time > own).length };
}

test('a job of all cpus starts after reserve_after, while small jobs still wait', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'configure', 'reserve_after=1']);
  const wide = await submitMix(bench);
  await bench.must([...FEED, '--until-empty']);
  const { before, after } = await startsAround(bench, wide);
  expect(before).toBeGreaterThan(0);
  expect(after).toBeGreaterThan(SMALL / 4);
});

test('without a reservation, small jobs overtake it until none is left', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'configure', 'reserve_after=1d']);
  const wide = await submitMix(bench);
  await bench.must([...FEED, '--until-empty']);
  expect(await startsAround(bench, wide)).toEqual({ before: SMALL, after: 0 });
});

test('small jobs with a short time limit run beside a reservation', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'configure', 'reserve_after=1']);
  const long = Number(
    await bench.must(['QUEUE', 'submit', '--plain', '--time-limit=10m', 'until [ -e enough ]; do sleep 0.1; done']),
  );
  const { child, ended } = bench.start(FEED);
  await waitFor(async () => (await bench.jobs(String(long)))[0]?.['state'] === 'running');
  const wide = Number(await bench.must(['QUEUE', 'submit', '--plain', '--cpus=4', 'true']));
  // These overtake the wide job until it has a reservation.
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'sleep 0.3\n'.repeat(SMALL) });
  const reserved = 'SELECT count(*) AS reserved FROM reservations WHERE since IS NOT NULL';
  await waitFor(async () => (await bench.must(['QUEUE', 'execute', reserved])).includes('reserved: 1'));
  const short = await bench.must(['QUEUE', 'submit', '--plain', '--time-limit=1m', 'true']);
  await waitFor(async () => (await bench.jobs(short.trim()))[0]?.['state'] === 'finished');
  expect((await bench.jobs(String(wide)))[0]).toMatchObject({ state: 'pending' });
  expect((await bench.jobs('pending')).length).toBeGreaterThan(SMALL / 4);
  await bench.shell('touch enough');
  await waitFor(async () => (await bench.jobs(String(wide)))[0]?.['state'] === 'finished');
  child.kill('SIGTERM');
  await ended;
});
