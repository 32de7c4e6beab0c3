// The time of one call, and of a call with many jobs.

import { join } from 'node:path';
import { lines, median, newQueue, ROOT, RQ, rq, size, timed } from './harness.mjs';
import { taskSpoolerSubmits } from './peers.mjs';

const CALLS_PER_ROUND = size(15, 1);
const MANY = size(100_000);
const TSP_JOBS = size(500);

const medianOf = (seconds) => median(Array.from({ length: CALLS_PER_ROUND }, seconds));

const readRaw = `
  const Database = require('better-sqlite3');
  const db = new Database(process.argv[1], { readonly: true });
  for (const row of db.prepare('SELECT * FROM jobs').raw().iterate()) process.stdout.write(row.join(' ') + '\\n');`;

export function calls() {
  const one = newQueue();
  const large = newQueue();
  rq([large, 'submit', '-q', '-'], { input: lines(MANY, (n) => `process --input data/${n}.dat`) });
  const call = (...words) => medianOf(() => timed(RQ, words));
  const against = '`node -e 0`';
  return [
    {
      rows: [
        { name: '`rq --version`', against, limit: { atMost: 1.15 } },
        { name: '`rq q submit true`', against, limit: { atMost: 1.5 } },
        { name: '`rq q status` with 100,000 jobs', against },
      ],
      round: () => {
        const theirs = medianOf(() => timed(process.execPath, ['-e', '0']));
        return [call('--version'), call(one, 'submit', 'true'), call(large, 'status')].map((ours) => ({
          ours,
          theirs,
        }));
      },
    },
    {
      rows: [
        {
          name: 'submit 100,000 jobs from stdin',
          against: '`tsp true`, 500 times',
          unit: '/s',
          limit: { atLeast: 100, ours: 50_000 },
        },
      ],
      round: () => {
        const queue = newQueue();
        const input = lines(MANY, (n) => `process --input ${n}`);
        const ours = MANY / timed(RQ, [queue, 'submit', '-q', '-'], { input });
        return [{ ours, theirs: taskSpoolerSubmits(TSP_JOBS) }];
      },
    },
    {
      rows: [
        {
          name: '`list` of 100,000 jobs',
          against: 'reading the rows with SQLite and writing raw columns',
          limit: { atMost: 3 },
        },
      ],
      round: () => [
        {
          ours: timed(RQ, [large, 'list']),
          theirs: timed(process.execPath, ['-e', readRaw, join(large, 'db')], { cwd: ROOT }),
        },
      ],
    },
  ];
}
