import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

const JOBS = 120_000;
/** Less memory than the jobs need. */
const SMALL = { NODE_OPTIONS: '--max-old-space-size=32' };
const TIME = "'2026-01-02T03:04:05.678Z'";

/** A queue of finished jobs, some of which have output. */
async function queueWithMany(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must([
    'QUEUE',
    'execute',
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${JOBS})
     INSERT INTO jobs (state, submitted, started, finished, submitter, owner, runner, exit_status, attempt, cwd, command, stdout)
     SELECT 'finished', ${TIME}, ${TIME}, ${TIME}, 'n1', 'ada', 'n2', 0, 1, '/home/ada/project',
       './simulate --seed ' || i || ' --input /data/sets/' || i || '.fits --output /data/results/' || i, 'stdout/' || i FROM n`,
  ]);
  await bench.shell('seq 1 100 8000 | (cd q/stdout && xargs touch 120000)');
  return bench;
}

test('delete prints all jobs and removes their files, and does not keep the jobs in memory', async () => {
  const bench = await queueWithMany();
  const printed = await bench.must(['QUEUE', 'delete', 'all'], { environment: SMALL });
  expect(printed.match(/^ {2}jid: \d+$/gm)).toHaveLength(JOBS);
  expect(printed).toContain(`--seed ${JOBS} `);
  expect(await bench.jobs()).toEqual([]);
  await bench.shell('rmdir q/stdout');
});

test('rotate moves all jobs and their files, and does not keep the jobs in memory', async () => {
  const bench = await queueWithMany();
  await bench.must(['QUEUE', 'rotate', 'old'], { environment: SMALL });
  expect(await bench.jobs()).toEqual([]);
  expect((await bench.shell('rq old status -f jobs; ls old/stdout | wc -l')).stdout).toMatch(
    new RegExp(`finished: ${JOBS}\\n[^]*\\n81\\n$`),
  );
  await bench.shell('rmdir q/stdout');
});
