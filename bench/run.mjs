// Measures rq against its peers, each figure beside something that was measured in the same round, since machines are
// shared and noisy. Usage: npm run bench [-- --rounds N] [--only NAME] [--write]. Prints a Markdown table; --write puts
// it between the markers of docs/performance.md and the figures into bench/results.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { calls } from './calls.mjs';
import { claims } from './claim.mjs';
import { daemons } from './daemons.mjs';
import { drains } from './drain.mjs';
import { median, ROOT, sorted } from './harness.mjs';
import { latencies } from './latency.mjs';
import { absent } from './peers.mjs';
import { scaling } from './scaling.mjs';

const words = process.argv.slice(2);
const optionOf = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const rounds = Number(optionOf('--rounds') ?? 5);
const only = optionOf('--only');

const suites = { calls, drains, claims, latencies, daemons, scaling };
const groups = [];
for (const [name, suite] of Object.entries(suites)) {
  if (only === undefined || only === name) groups.push(...(await suite()));
}

const results = groups.map(({ rows }) => rows.map((row) => ({ ...row, rounds: [] })));
for (let round = 0; round < rounds; round++) {
  for (const [index, { round: measure, once }] of groups.entries()) {
    if (once && round > 0) continue;
    const figures = await measure();
    for (const [row, figure] of figures.entries()) results[index][row].rounds.push(figure);
    process.stderr.write(`round ${round + 1}: ${results[index].map(({ name }) => name).join('; ')}\n`);
  }
}

function summary({ name, against, unit = 's', limit, rounds: measured }) {
  const ratios = sorted(measured.map(({ ours, theirs }) => ours / theirs));
  const figures = {
    ours: median(measured.map(({ ours }) => ours)),
    theirs: median(measured.map(({ theirs }) => theirs)),
    ratio: median(ratios),
    spread: [ratios[0], ratios.at(-1)],
  };
  return { name, against, unit, limit, ...figures, verdict: verdict(limit, figures) };
}

function verdict(limit, { ours, ratio }) {
  if (limit === undefined) return '';
  const { atMost = Number.POSITIVE_INFINITY, atLeast = 0, ours: floor = 0 } = limit;
  return ratio <= atMost && ratio >= atLeast && ours >= floor ? 'yes' : 'no';
}

function figure(value, unit) {
  const digits = unit === '/s' || value >= 1000 ? 0 : unit === 's' ? 3 : value < 1 ? 3 : 1;
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === '/s' || unit === '%' ? `${text}${unit}` : `${text} ${unit}`;
}

const wanted = (limit) =>
  limit === undefined ? '' : limit.atMost === undefined ? `≥ ${limit.atLeast}` : `≤ ${limit.atMost}`;
const summaries = results.flat().map(summary);
const rows = summaries.map(({ name, against, unit, limit, ours, theirs, ratio, spread, verdict: held }) => {
  const [low, high] = spread.map((value) => value.toFixed(2));
  const cells = [name, against, figure(ours, unit), figure(theirs, unit), ratio.toFixed(2), `${low} – ${high}`];
  return `| ${[...cells, wanted(limit), held].join(' | ')} |`;
});
const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
const table = [
  `${rounds} rounds, interleaved, medians; ${machine}.${absent.length > 0 ? ` Not here: ${absent.join(', ')}.` : ''}`,
  '',
  '| what | against | rq | the other | ratio | spread | wanted | held |',
  '|---|---|---|---|---|---|---|---|',
  ...rows,
].join('\n');
process.stdout.write(`${table}\n`);
if (words.includes('--write')) {
  const path = join(ROOT, 'docs/performance.md');
  const text = readFileSync(path, 'utf8').replace(/(<!-- bench -->\n)[\s\S]*(\n<!-- \/bench -->)/, `$1${table}$2`);
  writeFileSync(path, text);
  const report = { date: new Date().toISOString(), machine, rounds, results: summaries };
  writeFileSync(join(ROOT, 'bench/results.json'), `${JSON.stringify(report, undefined, 2)}\n`);
}
process.exit(0);
