// The time of one command that controls 10,000 running jobs, against one that changes 10,000 pending jobs.
// Usage: node bench/orders.mjs [--smoke]. Needs a built program. Prints a Markdown table.
import { isSmoke, lines, median, newQueue, RQ, rq, size, timed } from './harness.mjs';

const JOBS = size(10_000);
const ROUNDS = isSmoke ? 1 : 5;
const COMMANDS = [
  ['pause', 'running'],
  ['resume', 'running'],
  ['signal', 'USR1', 'running'],
  ['kill', '--no-wait', 'running'],
];

/** A queue whose first half of jobs runs on a host that does not exist. The other half is pending. */
function filled() {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '-'], { input: lines(2 * JOBS, (n) => `true # ${n}`) });
  const claimed = "attempt = 1, claim = 1, started = submitted, runner = 'nowhere', boot = 'b', journal = 'j'";
  rq([queue, 'execute', `UPDATE jobs SET state = 'running', ${claimed} WHERE jid <= ${JOBS}`]);
  return queue;
}

const queue = filled();
console.log(
  `| command for ${JOBS.toLocaleString('en')} running jobs | time | ratio to \`update\` of as many pending jobs |\n|---|---|---|`,
);
for (const words of COMMANDS) {
  const times = { ours: [], theirs: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.ours.push(timed(RQ, [queue, ...words, '-q', '-v', '0']));
    times.theirs.push(timed(RQ, [queue, 'update', 'pending', `priority=${round}`, '-q', '-v', '0']));
  }
  const [ours, theirs] = [median(times.ours), median(times.theirs)];
  console.log(`| \`${words.join(' ')}\` | ${ours.toFixed(2)} s | ${(ours / theirs).toFixed(2)} |`);
}
