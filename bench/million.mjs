// A queue of a million jobs, half of them finished, against one of a thousand: the time of each call.
// Usage: node bench/million.mjs [--rounds N | --smoke]. Needs a built program and 1 GB in TMPDIR. Prints Markdown tables.
import { isSmoke, lines, median, newQueue, RQ, rq, scratch, size, timed } from './harness.mjs';

const at = process.argv.indexOf('--rounds');
const ROUNDS = isSmoke ? 1 : at === -1 ? 5 : Number(process.argv[at + 1]);
const SMALL = 1000;
const LARGE = size(1_000_000);
const TENTH = LARGE / 10;

/** Each call gets the number of jobs of its queue. */
const CALLS = [
  ['status', () => ['status']],
  ['status tag=rare', () => ['status', 'tag=rare']],
  ['status all', () => ['status', 'all']],
  ['query tag=rare', () => ['query', 'tag=rare']],
  ['query state=pending jid=JID', (jobs) => ['query', 'state=pending', `jid=${jobs / 2 + 1}`]],
  ['list JID', (jobs) => ['list', String(jobs / 2)]],
  ['submit -q true', () => ['submit', '-q', 'true']],
  ['feed --loops 1', () => ['feed', '--loops', '1', '--max_feed', '1', '-v', '1']],
];

/** Creates a queue: the first half of its jobs finished within a week, ten jobs have a tag. */
function filled(jobs) {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '-'], { input: lines(jobs, (n) => `true # ${n}`) });
  const finished = `strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days', '+' || (jid * 604800 / ${jobs}) || ' seconds')`;
  const ended = `started = ${finished}, finished = ${finished}, elapsed = 1.5, runner = 'h', pid = 5, attempt = 1`;
  const half = `UPDATE jobs SET state = 'finished', exit_status = jid % 5 = 0, ${ended} WHERE jid <= ${jobs / 2}`;
  rq([queue, 'execute', half]);
  rq([queue, 'execute', `UPDATE jobs SET tag = 'rare' WHERE jid % ${jobs / 10} = 0`]);
  return queue;
}

const small = filled(SMALL);
const large = filled(LARGE);
console.log('| command | 1,000 jobs | 1,000,000 jobs | ratio |\n|---|---|---|---|');
for (const [name, words] of CALLS) {
  const times = { small: [], large: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.small.push(timed(RQ, [small, ...words(SMALL)]));
    times.large.push(timed(RQ, [large, ...words(LARGE)]));
  }
  const [less, more] = [median(times.small), median(times.large)].map((seconds) => seconds * 1000);
  console.log(`| \`${name}\` | ${less.toFixed(0)} ms | ${more.toFixed(0)} ms | ${(more / less).toFixed(2)} |`);
}
console.log('\n| change of 100,000 of a million jobs | time |\n|---|---|');
for (const words of [
  ['update', `${6 * TENTH + 1}-${7 * TENTH}`, 'priority=3', '-q'],
  ['resubmit', `${TENTH + 1}-${2 * TENTH}`, '-q'],
  ['delete', `${6 * TENTH + 1}-${7 * TENTH}`, '-q'],
  ['snapshot', 'copy'],
]) {
  console.log(`| \`${words.join(' ')}\` | ${timed(RQ, [large, ...words], { cwd: scratch }).toFixed(1)} s |`);
}
