import { expect, test } from 'vitest';
import { findMistakes, strayFiles } from '../../support/job-records.ts';
import { Workbench } from '../../support/program.ts';
import { seededRandom } from '../../support/random.ts';
import { RandomDriver } from '../../support/random-driver.ts';

// RQ_MINUTES=10 is the long run; a seed repeats what is done, though not when processes come to what they do.
const MINUTES = Number(process.env['RQ_MINUTES'] ?? 0.4);
const JOBS = Math.ceil(MINUTES * 500);

test(
  'feeders, runners, jobs and all who change a queue are killed at random, and the books are right',
  async () => {
    const seed = Number(process.env['RQ_SEED'] ?? Date.now() % 2 ** 31);
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    // Long runs also have hosts that are frozen for so long that others take them for lost.
    const isLong = MINUTES >= 5;
    await bench.must(['QUEUE', 'configure', `lost_after=${isLong ? 20 : 900}`]);
    const driver = new RandomDriver(bench, {
      random: seededRandom(seed),
      seconds: MINUTES * 60,
      jobs: JOBS,
      hosts: ['h1', 'h2', 'h3', 'h4'],
      slots: 4,
      freeze: isLong ? 45 : 4,
    });
    await driver.run();
    console.log(`RQ_SEED=${seed}, done: ${JSON.stringify(driver.done)}`);
    expect(await findMistakes(bench, driver.places, driver.batches, driver.killedJobs)).toEqual([]);
    expect(strayFiles(bench)).toEqual([]);
    expect(await bench.must(['QUEUE', 'recover', '--json'])).toContain('"damage": "none"');
  },
  (MINUTES * 3 + 3) * 60_000,
);
