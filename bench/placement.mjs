// Claims in queues whose jobs request different hosts, lanes and arrays.
import { join } from 'node:path';
import { build } from 'esbuild';
import { options } from '../scripts/bundle.mjs';
import { place, ROOT, size } from './harness.mjs';

const PENDING = size(1_000_000);
const MANY = size(1_000, 100);
const ROUNDS = size(50, 3);
const SOME = size(100, 10);

const QUEUES = [
  ['of one shape', PENDING, 1, 'one', { atMost: 1.1 }],
  [`of ${SOME} shapes`, PENDING, SOME, 'hosts', { atMost: 2 }],
  [`of ${MANY} shapes`, PENDING, MANY, 'hosts', { atMost: 5 }],
  [`in ${MANY} lanes and ${MANY} arrays with limits`, PENDING, MANY, 'limits', { atMost: 5 }],
];

async function load() {
  const outfile = join(ROOT, 'node_modules/.cache/rq-bench/placement.mjs');
  await build({ ...options, entryPoints: [join(ROOT, 'bench/placement.ts')], outfile });
  return await import(outfile);
}

export async function placement() {
  const { fill, claimMs, claimPages } = await load();
  const filled = (jobs, shapes, kind) => {
    const path = join(place('claims'), 'db');
    fill(path, jobs, shapes, kind);
    return path;
  };
  const small = filled(1_000, 1, 'one');
  const paths = QUEUES.map(([, jobs, shapes, kind]) => filled(jobs, shapes, kind));
  const [one, , many] = paths;
  return [
    {
      rows: QUEUES.map(([name, , , , limit]) => ({
        name: `a claim of 8 jobs with ${PENDING.toLocaleString('en')} pending ${name}`,
        against: 'with 1,000 pending of one shape',
        unit: 'ms',
        limit,
      })),
      round: () => {
        const theirs = claimMs(small, ROUNDS);
        return paths.map((path) => ({ ours: claimMs(path, ROUNDS), theirs }));
      },
    },
    {
      rows: [
        {
          name: `pages that such a claim reads with an empty cache and ${MANY} shapes`,
          against: 'with one shape',
          unit: 'pages',
          limit: { atMost: 3 },
        },
      ],
      round: () => [{ ours: claimPages(many), theirs: claimPages(one) }],
    },
  ];
}
