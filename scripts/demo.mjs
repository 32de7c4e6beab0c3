// A demonstration on one machine: a queue in a temporary directory, 300 jobs on files of node_modules, and two feeders with
// different host names. It computes every result again without rq and compares.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const rq = join(root, 'bin/rq');
const scratch = mkdtempSync(join(tmpdir(), 'rq-demo-'));
const queue = join(scratch, 'q');
const environment = { ...process.env, RQ_RUNTIME_DIR: join(scratch, 'run') };
for (const name of ['RQ_Q', 'RQ_QUEUE', 'RQ_OPTS', 'RQ_OPTIONS', 'RQ_HOST']) delete environment[name];
const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const say = (text) => process.stdout.write(`${text}\n`);
const run = (words, options = {}) =>
  execFileSync(rq, words, { env: environment, encoding: 'utf8', maxBuffer: 2 ** 28, ...options });

/** The largest text files below a directory, up to 2 MB. */
function largestFiles(directory, wanted) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(js|ts|json|md|txt|h|c)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => statSync(path).size > 2_000 && statSync(path).size < 2_000_000)
    .sort((a, b) => statSync(b).size - statSync(a).size)
    .slice(0, wanted);
}

const countWords = (bytes) => bytes.toString('latin1').match(/[A-Za-z]+/g)?.length ?? 0;

/** Each kind of job: its command line, and a check of its output. */
const kinds = [
  {
    tag: 'checksum',
    command: (file) => `sha256sum < ${quote(file)}`,
    isRight: (output, bytes) => output.toString().split(' ')[0] === createHash('sha256').update(bytes).digest('hex'),
  },
  {
    tag: 'compress',
    command: (file) => `gzip -9 -c ${quote(file)}`,
    isRight: (output, bytes) => gunzipSync(output).equals(bytes),
  },
  {
    tag: 'words',
    command: (file) => `LC_ALL=C tr -cs A-Za-z '\\n' < ${quote(file)} | grep -c .`,
    isRight: (output, bytes) => Number(output.toString()) === countWords(bytes),
  },
];

function feeder(host) {
  const child = spawn(rq, [queue, 'feed', '--until-empty', '--max_feed=2', '-v1'], {
    env: { ...environment, RQ_HOST: host },
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      code === 0 ? resolve(host) : reject(new Error(`the feeder of ${host} ended with exit status ${code}`)),
    );
  });
}

async function showProgress(total, isDone) {
  const counts = () => JSON.parse(run([queue, 'status', '--json'])).jobs;
  for (;;) {
    const { finished, running } = counts();
    const line = `  ${finished} of ${total} finished, ${running} running`;
    process.stdout.write(process.stdout.isTTY ? `\r${line}   ` : `${line}\n`);
    if (isDone()) return process.stdout.isTTY ? say('') : undefined;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

try {
  say(`$ rq ${queue} create`);
  say(run([queue, 'create']));
  const files = largestFiles(join(root, 'node_modules'), 100);
  const jobs = files.flatMap((file) => kinds.map(({ tag, command }) => ({ tag, command: command(file) })));
  say(
    `$ rq ${queue} submit --quiet -     # ${jobs.length} jobs: checksums, compressions and word counts of ${files.length} files`,
  );
  run([queue, 'submit', '--quiet', '-'], { input: JSON.stringify(jobs) });
  say(`$ RQ_HOST=alpha rq ${queue} feed --until-empty & RQ_HOST=beta rq ${queue} feed --until-empty`);
  const startMs = Date.now();
  let isDone = false;
  const fed = Promise.all([feeder('alpha'), feeder('beta')]).finally(() => {
    isDone = true;
  });
  await Promise.all([fed, showProgress(jobs.length, () => isDone)]);
  const seconds = (Date.now() - startMs) / 1000;
  say(`\n$ rq ${queue} status`);
  say(run([queue, 'status']));
  say(`$ rq ${queue} list 1-3 --fields jid,runner,exit_status,elapsed,tag,command`);
  say(run([queue, 'list', '1-3', '--fields', 'jid,runner,exit_status,elapsed,tag,command']));

  const listed = JSON.parse(run([queue, 'list', '--json']));
  const wrong = jobs.filter((_, index) => {
    const { isRight } = kinds[index % kinds.length];
    const bytes = readFileSync(files[Math.floor(index / kinds.length)]);
    return listed[index]?.exit_status !== 0 || !isRight(readFileSync(join(queue, 'stdout', String(index + 1))), bytes);
  });
  if (listed.length !== jobs.length || wrong.length > 0)
    throw new Error(`${wrong.length} results are wrong, ${listed.length} of ${jobs.length} jobs are listed`);
  const share = (host) => listed.filter(({ runner }) => runner === host).length;
  say(`All ${jobs.length} results are correct.`);
  say(`alpha ran ${share('alpha')} jobs, beta ${share('beta')}, in ${seconds.toFixed(1)} s.`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
