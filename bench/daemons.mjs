// Feeder and runner: memory when idle and with a thousand jobs, adoption of a hundred jobs, and fairness among eight hosts.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { count, env, feeder, lines, newQueue, place, RQ, rq, select, sink, size, sleep, until } from './harness.mjs';

const HOSTS = size(8, 2);
const FAIR_SECONDS = size(60, 1);
/** The first leaves the processors idle, so that hosts wait for the queue only. The second keeps them busy. */
const FAIR_JOBS = ['sleep 0.05', 'true'];
const ENOUGH_JOBS = size(100_000);
const AT_ONCE = size(1000);
const ADOPTED = size(100, 2);

/** Resident memory in MB. */
function rss(pid) {
  return Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** Whether this number of jobs have started: the database has their pids. */
const haveStarted = (queue, jobs) => select(queue, 'SELECT count(pid) AS n FROM jobs')[0].n === jobs;

/** Undefined until the feeder has started. */
function runnerPid(queue, environment) {
  const { status, stdout } = spawnSync(RQ, [queue, 'pid', '--json'], { env: environment, encoding: 'utf8' });
  return status === 0 ? JSON.parse(stdout).runner : undefined;
}

/** A feeder with its own runtime directory, and the pid of its runner. */
async function withRunner(queue, words) {
  const environment = { ...env, RQ_RUNTIME_DIR: place('run') };
  const started = feeder(queue, words, environment);
  return { ...started, runner: await until(() => runnerPid(queue, environment)) };
}

async function idle() {
  const queue = newQueue();
  const node = spawn(process.execPath, ['-e', 'setInterval(()=>{},1e6)'], { stdio: ['ignore', sink, sink] });
  const one = await withRunner(queue);
  rq([queue, 'submit', '-q', '-'], { input: lines(20, () => 'true') });
  await until(() => count(queue, 'finished') === 20);
  await sleep(size(8000));
  const figures = { node: rss(node.pid), feeder: rss(one.child.pid), runner: rss(one.runner) };
  node.kill();
  await one.stop();
  return figures;
}

async function atOnce() {
  const queue = newQueue();
  const gate = join(place('gate'), 'go');
  const one = await withRunner(queue, [`--max_feed=${AT_ONCE}`]);
  const job = `until [ -e ${gate} ]; do sleep ${size(5, 0.1)}; done`;
  rq([queue, 'submit', '-q', '-'], { input: lines(AT_ONCE, () => job) });
  await until(() => haveStarted(queue, AT_ONCE));
  await sleep(size(2000));
  const memory = rss(one.runner);
  writeFileSync(gate, '');
  await until(() => count(queue, 'finished') === AT_ONCE);
  await one.stop();
  return memory;
}

/** Seconds from the start of a feeder until it has adopted the jobs of a killed one. */
async function adoption() {
  const queue = newQueue();
  const gate = join(place('gate'), 'go');
  const words = [`--max_feed=${ADOPTED}`];
  const environment = { ...env, RQ_RUNTIME_DIR: place('run') };
  const first = feeder(queue, words, environment);
  rq([queue, 'submit', '-q', '-'], { input: lines(ADOPTED, () => `until [ -e ${gate} ]; do sleep 0.5; done`) });
  await until(() => haveStarted(queue, ADOPTED));
  first.child.kill('SIGKILL');
  const log = join(place('log'), 'feeder');
  const start = performance.now();
  const second = feeder(queue, [...words, '-v3', `--log=${log}`], environment);
  await until(() => existsSync(log) && readFileSync(log, 'utf8').split(/adopted/).length > ADOPTED);
  const seconds = (performance.now() - start) / 1000;
  writeFileSync(gate, '');
  await until(() => count(queue, 'finished') === ADOPTED);
  await second.stop();
  return seconds;
}

/** Runs eight feeders with one slot. Returns the largest deviation from an equal share, as a fraction of it. */
async function largestDeviation(job) {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '-'], { input: lines(ENOUGH_JOBS, () => job) });
  const hosts = Array.from({ length: HOSTS }, (_, index) => `host${index + 1}`);
  const feeders = hosts.map((host) =>
    feeder(queue, ['--max_feed=1'], { ...env, RQ_HOST: host, RQ_RUNTIME_DIR: place('run') }),
  );
  const finished = () =>
    select(queue, "SELECT runner, count(*) AS n FROM jobs WHERE state = 'finished' GROUP BY runner");
  await until(() => finished().length === HOSTS);
  await sleep(size(3000));
  const before = new Map(finished().map(({ runner, n }) => [runner, n]));
  await sleep(FAIR_SECONDS * 1000);
  const counts = finished().map(({ runner, n }) => n - before.get(runner));
  await Promise.all(feeders.map(({ stop }) => stop()));
  const equal = counts.reduce((a, b) => a + b, 0) / HOSTS;
  return Math.max(...counts.map((each) => Math.abs(each - equal) / equal));
}

export function daemons() {
  const node = "`node -e 'setInterval(()=>{},1e6)'`";
  return [
    {
      rows: [
        { name: 'memory of an idle feeder', against: node, unit: 'MB', limit: { atMost: 1.6 } },
        { name: 'memory of an idle runner', against: node, unit: 'MB', limit: { atMost: 1.25 } },
      ],
      round: async () => {
        const { node: theirs, feeder: ours, runner } = await idle();
        return [
          { ours, theirs },
          { ours: runner, theirs },
        ];
      },
    },
    {
      once: true,
      rows: [{ name: 'memory of a runner with 1,000 jobs', against: '100 MB', unit: 'MB', limit: { atMost: 1 } }],
      round: async () => [{ ours: await atOnce(), theirs: 100 }],
    },
    {
      once: true,
      rows: [
        {
          name: 'adoption of 100 running jobs by a new feeder, including its start',
          against: '2 s',
          limit: { atMost: 1 },
        },
      ],
      round: async () => [{ ours: await adoption(), theirs: 2 }],
    },
    ...FAIR_JOBS.map((job) => ({
      once: true,
      rows: [
        {
          name: `eight feeders on one queue with \`${job}\` jobs: largest deviation from an equal share`,
          against: '10',
          unit: '%',
          limit: { atMost: 1 },
        },
      ],
      round: async () => [{ ours: (await largestDeviation(job)) * 100, theirs: 10 }],
    })),
  ];
}
