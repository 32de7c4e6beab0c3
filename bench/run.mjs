// Measures rq against its peers. Machines are shared and noisy, so each figure stands beside one of the same round.
// Usage: npm run bench [-- OPTION…]. Prints a Markdown table.
//
//   --rounds N   measure N times (default 5)
//   --only NAME  run one suite
//   --write      put the table between the markers of docs/performance.md
//   --smoke      run every benchmark of bench/ once, at about a hundredth of its size, and check no figure
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { calls } from './calls.mjs';
import { claims } from './claim.mjs';
import { daemons } from './daemons.mjs';
import { drains } from './drain.mjs';
import { isSmoke, median, ROOT, sink, sorted } from './harness.mjs';
import { latencies } from './latency.mjs';
import { skipped } from './peers.mjs';
import { placement } from './placement.mjs';
import { scaling } from './scaling.mjs';
import { explanations } from './why.mjs';

const words = process.argv.slice(2);
const unknown = words.find((word, index) => !isKnown(word, words[index - 1]));
if (unknown !== undefined) {
  process.stderr.write(`cannot run the benchmarks: unknown argument ${unknown}\n`);
  process.stderr.write('usage: npm run bench [-- [--rounds N] [--only NAME] [--write] [--smoke]]\n');
  process.exit(2);
}
const optionOf = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const rounds = isSmoke ? 1 : Number(optionOf('--rounds') ?? 5);
const only = optionOf('--only');
const suites = { calls, drains, claims, placement, explanations, latencies, daemons, scaling };
const otherPrograms = [
  ['bench/million.mjs', '--smoke'],
  ['bench/lock-use.mjs', '0.02'],
  ['bench/orders.mjs', '--smoke'],
  ['bench/waiters.mjs', '--smoke'],
];

const absentPeers = skipped.length > 0 ? `Skipped, not installed: ${skipped.join(', ')}.` : '';
const note = (text) => process.stderr.write(`${text}\n`);
const seconds = (start) => ((performance.now() - start) / 1000).toFixed(1);

async function measureAll() {
  const groups = [];
  for (const [name, suite] of Object.entries(suites)) {
    if (only === undefined || only === name) groups.push(...(await suite()));
  }
  const results = groups.map(({ rows }) => rows.map((row) => ({ ...row, rounds: [] })));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { round: measure, once }] of groups.entries()) {
      if (once && round > 0) continue;
      const start = performance.now();
      const figures = await measure();
      for (const [row, figure] of figures.entries()) results[index][row].rounds.push(figure);
      const names = results[index].map(({ name }) => name).join('; ');
      note(`${isSmoke ? 'smoke' : `round ${round + 1}`}, ${seconds(start)} s: ${names}`);
    }
  }
  return results.flat();
}

function row({ name, against, unit = 's', limit, rounds: measured }) {
  const ours = median(measured.map((each) => each.ours));
  if (measured[0].theirs === undefined) return cells([name, against, figure(ours, unit), 'skipped: not installed']);
  const theirs = median(measured.map((each) => each.theirs));
  const ratios = sorted(measured.map((each) => each.ours / each.theirs));
  const [low, high] = [ratios[0], ratios.at(-1)].map((value) => value.toFixed(2));
  const ratio = median(ratios);
  const texts = [figure(ours, unit), figure(theirs, unit), ratio.toFixed(2), `${low} – ${high}`];
  return cells([name, against, ...texts, ...outcome(limit, ours, ratio)]);
}

/** The limit, and whether it holds. */
function outcome(limit, ours, ratio) {
  if (limit === undefined || isSmoke) return [];
  const { atMost = Number.POSITIVE_INFINITY, atLeast = 0, ours: floor = 0 } = limit;
  const holds = ratio <= atMost && ratio >= atLeast && ours >= floor;
  return [limit.atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`, holds ? 'yes' : 'no'];
}

const cells = (texts) => `| ${Array.from({ length: 8 }, (_, index) => texts[index] ?? '').join(' | ')} |`;

function figure(value, unit) {
  const digits = unit === '/s' || value >= 1000 ? 0 : unit === 's' || value < 1 ? 3 : 1;
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === '/s' || unit === '%' ? `${text}${unit}` : `${text} ${unit}`;
}

function tableOf(results) {
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}) with ${Math.round(totalmem() / 2 ** 30)} GiB of memory and Node ${process.versions.node}`;
  return [
    `Medians of ${rounds} interleaved rounds on ${machine}. ${absentPeers}`,
    '',
    '| benchmark | against | rq | the other | ratio | spread | limit | holds |',
    '|---|---|---|---|---|---|---|---|',
    ...results.map(row),
  ].join('\n');
}

const table = tableOf(await measureAll());
// The figures of a smoke run mean nothing.
process.stdout.write(isSmoke ? `${absentPeers}\n` : `${table}\n`);
if (words.includes('--write')) {
  const path = join(ROOT, 'docs/performance.md');
  const text = readFileSync(path, 'utf8').replace(/(<!-- bench -->\n)[\s\S]*(\n<!-- \/bench -->)/, `$1${table}$2`);
  writeFileSync(path, text);
}
if (isSmoke && only === undefined) {
  for (const [program, option] of otherPrograms) {
    const start = performance.now();
    const { status } = spawnSync(process.execPath, [program, option], {
      cwd: ROOT,
      stdio: ['ignore', sink, 'inherit'],
    });
    if (status !== 0) throw new Error(`${program} ${option}: status ${status}`);
    note(`smoke, ${seconds(start)} s: ${program}`);
  }
}
process.exit(0);

function isKnown(word, previous) {
  return ['--rounds', '--only'].includes(previous) || ['--rounds', '--only', '--write', '--smoke'].includes(word);
}
