// The transaction itself, in one process: a claim in a queue of two million jobs against one in two thousand, and what each
// further job adds to it.
import { join } from 'node:path';
import { build } from 'esbuild';
import { options } from '../scripts/bundle.mjs';
import { lines, newQueue, place, ROOT, rq } from './harness.mjs';

const CLAIMS = 100;
/** Exchanges and jobs in each, to tell what a job adds to an exchange. */
const EXCHANGES = 20;
const JOBS = 101;

/** A module that makes exchanges, each reporting the ends of what the one before claimed; milliseconds for an exchange. */
const HARNESS = `
  import { exchange } from './queue/exchange.ts';
  import { openQueue } from './queue/open.ts';
  const end = ({ jid, attempt, started }) => ({ jid, attempt, started, finished: started, elapsed: 0, pid: 5,
    exit_status: 0, signal: null, reason: null, isLost: false });
  export async function exchangeMs(path, count, jobs, areEnded) {
    const queue = await openQueue(path, { lockTimeoutMs: 10000 });
    const by = { host: 'h', boot: 'b', journal: 'j' };
    let ends = [];
    const once = async () => {
      const { claimed } = await exchange(queue, { claimant: by, starts: [], ends, releases: [], claim: jobs, mayRun: () => true });
      if (claimed.length !== jobs) throw new Error('too few were claimed');
      ends = areEnded ? claimed.map(end) : [];
    };
    await once();
    const start = performance.now();
    for (let index = 0; index < count; index++) await once();
    queue.close();
    return (performance.now() - start) / count;
  }`;

async function harness() {
  const outfile = join(ROOT, 'node_modules/.cache/rq-bench/claim.mjs');
  const stdin = { contents: HARNESS, resolveDir: join(ROOT, 'src'), loader: 'ts' };
  await build({ ...options, stdin, outfile });
  return await import(outfile);
}

/** A queue of so many pending and so many finished jobs. */
function filled(each) {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '-'], { input: lines(2 * each, (n) => `true # ${n}`) });
  const ended = "started = submitted, finished = submitted, elapsed = 1, runner = 'h', pid = 5, attempt = 1";
  rq([queue, 'execute', `update jobs set state = 'finished', exit_status = 0, ${ended} where jid <= ${each}`]);
  return queue;
}

export async function claims() {
  process.env.RQ_RUNTIME_DIR = place('run');
  const { exchangeMs } = await harness();
  const [small, large] = [filled(1000), filled(1_000_000)];
  const used = newQueue();
  return [
    {
      rows: [
        {
          name: 'a claim, 1,000,000 pending and as many finished',
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
      rows: [{ name: 'what each further job adds to an exchange', against: 'an exchange of one job', unit: 'ms' }],
      round: async () => {
        rq([used, 'submit', '-q', '-'], { input: lines((EXCHANGES + 1) * (JOBS + 1), () => 'true') });
        const theirs = await exchangeMs(used, EXCHANGES, 1, true);
        return [{ ours: ((await exchangeMs(used, EXCHANGES, JOBS, true)) - theirs) / (JOBS - 1), theirs }];
      },
    },
  ];
}
