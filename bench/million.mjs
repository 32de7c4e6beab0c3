// A queue of a million jobs, half of them finished, against one of a thousand: what each call costs.
// Usage: node bench/million.mjs [--rounds N]; needs a built program and 1 GB in TMPDIR. Prints a Markdown table.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RQ = fileURLToPath(new URL('../bin/rq', import.meta.url));
const at = process.argv.indexOf('--rounds');
const rounds = at === -1 ? 5 : Number(process.argv[at + 1]);
const directory = mkdtempSync(join(tmpdir(), 'rq-million-'));
const env = { ...process.env, RQ_RUNTIME_DIR: join(directory, 'run'), RQ_Q: '' };

const rq = (words, input) =>
  execFileSync(RQ, words, { cwd: directory, env, input, stdio: ['pipe', 'pipe', 'inherit'], maxBuffer: 2 ** 28 });

/** Makes a queue of so many jobs: the first half finished over a week, ten of them tagged. */
function fill(name, count) {
  rq([name, 'create']);
  const lines = Array.from({ length: count }, (_, index) => `true # ${index}`).join('\n');
  rq([name, 'submit', '-q', '-'], `${lines}\n`);
  const finished = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days', '+' || (jid * 604800 / :n) || ' seconds')";
  const ended = `started = ${finished}, finished = ${finished}, elapsed = 1.5, runner = 'h', pid = 5, attempt = 1`;
  const sql = `update jobs set state = 'finished', exit_status = jid % 5 = 0, ${ended} where jid <= :n / 2`;
  rq([name, 'execute', sql.replaceAll(':n', String(count))]);
  rq([name, 'execute', `update jobs set tag = 'rare' where jid % (${count} / 10) = 0`]);
}

/** Milliseconds of one call. */
function time(words) {
  const start = performance.now();
  const { status, stderr } = spawnSync(RQ, words, { cwd: directory, env, maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`rq ${words.join(' ')}: ${stderr}`);
  return performance.now() - start;
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const CALLS = [
  ['status', ['status']],
  ['query tag=rare', ['query', 'tag=rare']],
  ['query state=pending jid=JID', (half) => ['query', 'state=pending', `jid=${half + 1}`]],
  ['list JID', (half) => ['list', String(half)]],
  ['submit -q true', ['submit', '-q', 'true']],
  ['feed --loops 1 (claims and runs one)', ['feed', '--loops', '1', '--max_feed', '1', '-v', '1']],
];

try {
  fill('small', 1_000);
  fill('big', 1_000_000);
  console.log('| call | 1,000 jobs | 1,000,000 jobs | ratio |\n|---|---|---|---|');
  for (const [name, words] of CALLS) {
    const times = { small: [], big: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [queue, half] of [
        ['small', 500],
        ['big', 500_000],
      ]) {
        times[queue].push(time([queue, ...(typeof words === 'function' ? words(half) : words)]));
      }
    }
    const [small, big] = [median(times.small), median(times.big)];
    console.log(`| \`${name}\` | ${small.toFixed(0)} ms | ${big.toFixed(0)} ms | ${(big / small).toFixed(2)} |`);
  }
  console.log('\n| change of 100,000 of a million jobs | time |\n|---|---|');
  for (const words of [
    ['update', '600001-700000', 'priority=3', '-q'],
    ['resubmit', '100001-200000', '-q'],
    ['delete', '600001-700000', '-q'],
    ['snapshot', 'copy'],
  ]) {
    console.log(`| \`${words.join(' ')}\` | ${(time(['big', ...words]) / 1000).toFixed(1)} s |`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
