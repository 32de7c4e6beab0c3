import { expect, test } from 'vitest';
import { findMistakes, strayFiles } from '../../support/job-records.ts';
import { Workbench } from '../../support/program.ts';
import { seededRandom } from '../../support/random.ts';
import { RandomDriver } from '../../support/random-driver.ts';

// RQ_MINUTES=10 is the long run. RQ_SEED repeats the same actions, but not the timing of the processes.
const MINUTES = Number(process.env['RQ_MINUTES'] ?? 0.4);
const JOBS = Math.ceil(MINUTES * 500);
const SLOTS = 4;
const LANES = { a: 3, b: 2 };

test(
  'the job records are exact after feeders, runners, jobs and commands were killed at random',
  async () => {
    const seed = Number(process.env['RQ_SEED'] ?? Date.now() % 2 ** 31);
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    // In long runs, feeders are stopped for longer than lost_after, so that other hosts declare their hosts lost.
    const isLong = MINUTES >= 5;
    await bench.must(['QUEUE', 'configure', `lost_after=${isLong ? 20 : 900}`]);
    for (const [lane, limit] of Object.entries(LANES)) await bench.must(['QUEUE', 'lane', lane, `limit=${limit}`]);
    const driver = new RandomDriver(bench, {
      random: seededRandom(seed),
      seconds: MINUTES * 60,
      jobs: JOBS,
      hosts: ['h1', 'h2', 'h3', 'h4'],
      slots: SLOTS,
      maxFreezeSeconds: isLong ? 45 : 4,
    });
    await driver.run();
    console.log(`RQ_SEED=${seed}, actions: ${JSON.stringify(driver.actions)}`);
    const { places, batches, killedJobs, wishedJobs } = driver;
    const limits = { lanes: LANES, cpus: SLOTS };
    expect(await findMistakes(bench, places, batches, killedJobs, wishedJobs, limits)).toEqual([]);
    expect(strayFiles(bench)).toEqual([]);
    expect(await bench.must(['QUEUE', 'recover', '--json'])).toContain('"damage": "none"');
  },
  (MINUTES * 3 + 3) * 60_000,
);
