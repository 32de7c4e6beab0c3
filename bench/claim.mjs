// What a claim costs in a queue of two million jobs, against one of two thousand: the transaction itself, in one process.
import { join } from 'node:path';
import { build } from 'esbuild';
import { lines, newQueue, place, ROOT, rq } from './rig.mjs';

const CLAIMS = 100;

async function program() {
  const outfile = join(ROOT, 'node_modules/.cache/rq-bench/claim.mjs');
  const contents = `
    import { exchange } from './queue/exchange.ts';
    import { openQueue } from './queue/open.ts';
    export async function claims(path, count) {
      const queue = await openQueue(path, { lockTimeoutMs: 10000 });
      const by = { host: 'h', boot: 'b', journal: 'j' };
      const request = { by, starts: [], ends: [], unstarted: [], claim: 1, mayRun: () => true };
      await exchange(queue, request);
      const start = performance.now();
      for (let index = 0; index < count; index++) {
        if ((await exchange(queue, request)).claimed.length !== 1) throw new Error('nothing was claimed');
      }
      queue.close();
      return performance.now() - start;
    }`;
  await build({
    stdin: { contents, resolveDir: join(ROOT, 'src'), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['better-sqlite3'],
    banner: { js: "import { createRequire as cr } from 'node:module'; const require = cr(import.meta.url);" },
    outfile,
  });
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
  const { claims: claim } = await program();
  const [small, large] = [filled(1000), filled(1_000_000)];
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
        const theirs = (await claim(small, CLAIMS)) / CLAIMS;
        return [{ ours: (await claim(large, CLAIMS)) / CLAIMS, theirs }];
      },
    },
  ];
}
