// What rq costs, each figure beside something measured in the same rounds. Prints a Markdown table, and puts it between
// the markers of docs/performance.md with `--write`. `--rounds N` (default 5).
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const rq = join(root, 'bin/rq');
const words = process.argv.slice(2);
const rounds = Number(words[words.indexOf('--rounds') + 1]) || 5;
const scratch = mkdtempSync(join(tmpdir(), 'rq-bench-'));
const env = { ...process.env, RQ_RUNTIME_DIR: join(scratch, 'run') };
const sink = openSync('/dev/null', 'w');

/** Runs a program to its end; seconds. */
function timed(program, args, options = {}) {
  const start = performance.now();
  const { status, error } = spawnSync(program, args, { env, stdio: ['pipe', sink, 'inherit'], ...options });
  if (error !== undefined || status !== 0)
    throw error ?? new Error(`${program} ${args.join(' ')} ended with ${status}`);
  return (performance.now() - start) / 1000;
}

let queues = 0;
function newQueue() {
  queues += 1;
  const path = join(scratch, `q${queues}`);
  execFileSync(rq, [path, 'create'], { env, stdio: 'ignore' });
  return path;
}

const lines = (count, text) =>
  Array.from({ length: count }, (_, index) => text(index + 1))
    .join('\n')
    .concat('\n');
const LIST_JOBS = 100_000;
const DRAIN_JOBS = 2_000;
const listed = newQueue();
timed(rq, [listed, 'submit', '-q', '-'], { input: lines(LIST_JOBS, (n) => `process --input data/${n}.dat`) });
const one = newQueue();

const readRaw = `
  const Database = require('better-sqlite3');
  const db = new Database(process.argv[1], { readonly: true });
  for (const row of db.prepare('SELECT * FROM jobs').raw().iterate()) process.stdout.write(row.join(' ') + '\\n');`;

const start = (args) => () => timed(rq, args);
const bare = () => timed(process.execPath, ['-e', '0']);
const benchmarks = [
  { name: '`rq --version`', against: '`node -e 0`', ours: start(['--version']), theirs: bare },
  { name: '`rq q submit true`', against: '`node -e 0`', ours: start([one, 'submit', '-q', 'true']), theirs: bare },
  { name: '`rq q status`, 100,000 jobs', against: '`node -e 0`', ours: start([listed, 'status']), theirs: bare },
  {
    name: 'submit 100,000 jobs from stdin',
    against: '`node -e 0`',
    ours: () =>
      timed(rq, [newQueue(), 'submit', '-q', '-'], { input: lines(LIST_JOBS, (n) => `process --input ${n}`) }),
    theirs: bare,
  },
  {
    name: 'drain 2,000 `true`, 2 slots',
    against: '`xargs -P2 -I{} bash -c true`',
    ours: () => {
      const queue = newQueue();
      timed(rq, [queue, 'submit', '-q', '-'], { input: lines(DRAIN_JOBS, () => 'true') });
      return timed(rq, [queue, 'feed', '--until-empty', '--max_feed=2', '-v1']);
    },
    theirs: () => timed('xargs', ['-P2', '-I{}', 'bash', '-c', 'true'], { input: lines(DRAIN_JOBS, String) }),
  },
  {
    name: 'list of 100,000 jobs',
    against: 'SQLite read, raw columns written',
    ours: start([listed, 'list']),
    theirs: () => timed(process.execPath, ['-e', readRaw, join(listed, 'db')], { cwd: root }),
  },
];

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const results = benchmarks.map(({ name, against }) => ({ name, against, ours: [], theirs: [] }));
for (let round = 0; round < rounds; round++) {
  for (const [index, { ours, theirs }] of benchmarks.entries()) {
    results[index].ours.push(ours());
    results[index].theirs.push(theirs());
  }
}
rmSync(scratch, { recursive: true, force: true });

const rows = results.map(({ name, against, ours, theirs }) => {
  const ratios = ours.map((seconds, index) => seconds / theirs[index]).sort((a, b) => a - b);
  const spread = `${ratios[0].toFixed(2)} – ${ratios.at(-1).toFixed(2)}`;
  return `| ${name} | ${against} | ${median(ours).toFixed(3)} s | ${median(theirs).toFixed(3)} s | ${median(ratios).toFixed(2)} | ${spread} |`;
});
const table = [
  `${rounds} rounds, interleaved, medians; ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}.`,
  '',
  '| what | against | rq | the other | ratio | spread |',
  '|---|---|---|---|---|---|',
  ...rows,
].join('\n');
process.stdout.write(`${table}\n`);
if (words.includes('--write')) {
  const path = join(root, 'docs/performance.md');
  const text = readFileSync(path, 'utf8').replace(/(<!-- bench -->\n)[\s\S]*(\n<!-- \/bench -->)/, `$1${table}$2`);
  writeFileSync(path, text);
}
