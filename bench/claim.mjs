// The exchange by itself, in one process: in a queue of two million jobs against one of two thousand, and the time that
// each further job adds.
import { join } from 'node:path';
import { build } from 'esbuild';
import { options } from '../scripts/bundle.mjs';
import { lines, newQueue, place, ROOT, rq, size } from './harness.mjs';

const CLAIMS = size(100, 5);
const EXCHANGES = size(20, 2);
const JOBS = size(101, 11);
const LARGE = size(1_000_000);

async function loadExchange() {
  const outfile = join(ROOT, 'node_modules/.cache/rq-bench/exchange.mjs');
  await build({ ...options, entryPoints: [join(ROOT, 'bench/exchange.ts')], outfile });
  return await import(outfile);
}

/** A queue with as many pending as finished jobs. */
function filled(each) {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '-'], { input: lines(2 * each, (n) => `true # ${n}`) });
  const ended = "started = submitted, finished = submitted, elapsed = 1, runner = 'h', pid = 5, attempt = 1";
  rq([queue, 'execute', `UPDATE jobs SET state = 'finished', exit_status = 0, ${ended} WHERE jid <= ${each}`]);
  return queue;
}

export async function claims() {
  process.env.RQ_RUNTIME_DIR = place('run');
  const { exchangeMs } = await loadExchange();
  const [small, large] = [filled(1000), filled(LARGE)];
  const used = newQueue();
  return [
    {
      rows: [
        {
          name: 'a claim with 1,000,000 pending and 1,000,000 finished jobs',
          against: 'with 1,000 of each',
          unit: 'ms',
          limit: { atMost: 1.3 },
        },
      ],
      round: async () => {
        const theirs = await exchangeMs(small, CLAIMS, 1, false);
        return [{ ours: await exchangeMs(large, CLAIMS, 1, false), theirs }];
      },
    },
    {
      rows: [{ name: 'each additional job in an exchange', against: 'an exchange of one job', unit: 'ms' }],
      round: async () => {
        rq([used, 'submit', '-q', '-'], { input: lines((EXCHANGES + 1) * (JOBS + 1), () => 'true') });
        const theirs = await exchangeMs(used, EXCHANGES, 1, true);
        return [{ ours: ((await exchangeMs(used, EXCHANGES, JOBS, true)) - theirs) / (JOBS - 1), theirs }];
      },
    },
  ];
}
