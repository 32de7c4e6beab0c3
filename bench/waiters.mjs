// How much a hundred waiters slow a feeder on their host: each round drains a queue with and without them.
// Usage: node bench/waiters.mjs [--rounds N | --smoke]. Needs a built program and 5 GB of memory. Prints a Markdown table.
import { spawn } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import {
  env,
  isSmoke,
  lines,
  median,
  newQueue,
  RQ,
  rq,
  select,
  sink,
  size,
  sleep,
  sorted,
  timed,
  until,
} from './harness.mjs';

const at = process.argv.indexOf('--rounds');
const ROUNDS = isSmoke ? 1 : at === -1 ? 5 : Number(process.argv[at + 1]);
const WAITERS = size(100, 2);
const SETTLE_MS = size(15_000);
/** The first keeps both processors busy. The second leaves them idle, and commits as often. */
const JOBS = [
  ['true', size(6000)],
  ['sleep 0.2', size(200)],
];

/** Whether a process watches files, as a waiter does before its first read. */
function watches({ pid }) {
  return readdirSync(`/proc/${pid}/fd`).some((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`) === 'anon_inode:inotify';
    } catch {
      return false;
    }
  });
}

/** Jobs per second of a feeder, and the seconds from the end of the last job to the end of the last waiter. */
async function drain([command, jobs], waiters) {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '--priority=1', '-'], { input: lines(jobs - 1, () => command) });
  // All waiters wait for the last job.
  rq([queue, 'submit', '-q', command]);
  const children = Array.from({ length: waiters }, () =>
    spawn(RQ, [queue, 'wait', '-q', '-v1', String(jobs)], { env, stdio: ['ignore', sink, 'inherit'] }),
  );
  const ends = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  await until(() => children.every(watches));
  // A Node process that becomes idle collects its garbage once.
  if (waiters > 0) await sleep(SETTLE_MS);
  timed(RQ, [queue, 'feed', '--until-empty', '--max_feed=2', '-v1']);
  const statuses = await Promise.all(ends);
  const ended = Date.now();
  if (statuses.some((status) => status !== 0)) throw new Error(`waiters exited with ${statuses}`);
  const [{ first, last }] = select(queue, 'SELECT min(started) AS first, max(finished) AS last FROM jobs');
  return {
    rate: (jobs * 1000) / (Date.parse(last) - Date.parse(first)),
    delay: (ended - Date.parse(last)) / 1000,
  };
}

console.log(`| drain in 2 slots | with ${WAITERS} waiters | without | ratio | spread | last waiter ends after |`);
console.log('|---|---|---|---|---|---|');
for (const job of JOBS) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const without = await drain(job, 0);
    rounds.push({ without, beside: await drain(job, WAITERS) });
  }
  const ratios = sorted(rounds.map(({ beside, without }) => beside.rate / without.rate));
  const middle = (pick) => median(rounds.map(pick));
  const rates = [middle(({ beside }) => beside.rate), middle(({ without }) => without.rate)];
  const [ours, theirs] = rates.map((rate) => `${rate.toFixed(0)}/s`);
  const [low, high] = [ratios[0], ratios.at(-1)].map((ratio) => ratio.toFixed(2));
  const delay = middle(({ beside }) => beside.delay).toFixed(1);
  const cells = [
    `${job[1]} jobs \`${job[0]}\``,
    ours,
    theirs,
    median(ratios).toFixed(2),
    `${low} – ${high}`,
    `${delay} s`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
process.exit(0);
