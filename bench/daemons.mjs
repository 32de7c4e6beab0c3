// What the daemons take: memory when idle, a thousand jobs at once, a hundred that are taken over, and how eight hosts share
// one queue.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, feeder, lines, newQueue, place, rq, sink, sleep, until } from './harness.mjs';

const HOSTS = 8;
const FAIR_SECONDS = 60;
/** One that leaves the processors idle, so that hosts wait for the queue only, and one that keeps them all busy. */
const FAIR_JOBS = ['sleep 0.05', 'true'];
const ENOUGH_JOBS = 100_000;
const AT_ONCE = 1000;
const ADOPTED = 100;

/** Resident memory in MB. */
function rss(pid) {
  return Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

function processes(pattern) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return pattern.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        return false;
      }
    })
    .map(Number);
}

const count = (queue, state) => {
  const [{ n }] = JSON.parse(
    rq([queue, 'execute', '--json', `select count(*) as n from jobs where state = '${state}'`]),
  );
  return n;
};

/** A feeder with a runtime directory of its own, and the pid of its runner. */
async function withRunner(queue, words) {
  const run = place('run');
  const started = feeder(queue, words, { ...env, RQ_RUNTIME_DIR: run });
  const [runner] = await until(() => {
    const found = processes(new RegExp(`runner\\.cjs ${run}`));
    return found.length > 0 && found;
  });
  return { ...started, run, runner };
}

async function idle() {
  const queue = newQueue();
  const node = spawn(process.execPath, ['-e', 'setInterval(()=>{},1e6)'], { stdio: ['ignore', sink, sink] });
  const one = await withRunner(queue);
  rq([queue, 'submit', '-q', '-'], { input: lines(20, () => 'true') });
  await until(() => count(queue, 'finished') === 20);
  await sleep(8000);
  const figures = { node: rss(node.pid), feeder: rss(one.child.pid), runner: rss(one.runner) };
  node.kill();
  await one.stop();
  return figures;
}

async function atOnce() {
  const queue = newQueue();
  const gate = join(place('gate'), 'go');
  const one = await withRunner(queue, [`--max_feed=${AT_ONCE}`]);
  const job = `until [ -e ${gate} ]; do sleep 5; done`;
  rq([queue, 'submit', '-q', '-'], { input: lines(AT_ONCE, () => job) });
  await until(() => processes(new RegExp(`^bash -c until \\[ -e ${gate}`)).length === AT_ONCE);
  await sleep(2000);
  const memory = rss(one.runner);
  writeFileSync(gate, '');
  await until(() => count(queue, 'finished') === AT_ONCE);
  await one.stop();
  return memory;
}

/** Seconds from the start of a feeder until it has taken over so many jobs of one that was killed. */
async function adoption() {
  const queue = newQueue();
  const gate = join(place('gate'), 'go');
  const words = [`--max_feed=${ADOPTED}`];
  const environment = { ...env, RQ_RUNTIME_DIR: place('run') };
  const first = feeder(queue, words, environment);
  rq([queue, 'submit', '-q', '-'], { input: lines(ADOPTED, () => `until [ -e ${gate} ]; do sleep 1; done`) });
  await until(() => count(queue, 'running') === ADOPTED);
  // The database has the start of each.
  await until(() => rq([queue, 'execute', '--json', 'select count(pid) as n from jobs']).includes(`${ADOPTED}`));
  first.child.kill('SIGKILL');
  const log = join(place('log'), 'feeder');
  const start = performance.now();
  const second = feeder(queue, [...words, '-v3', `--log=${log}`], environment);
  await until(() => existsSync(log) && readFileSync(log, 'utf8').split('"adopted a job').length > ADOPTED);
  const seconds = (performance.now() - start) / 1000;
  writeFileSync(gate, '');
  await until(() => count(queue, 'finished') === ADOPTED);
  await second.stop();
  return seconds;
}

/** How far that of eight feeders of one slot is from an equal share whose share is furthest from it, of 1. */
async function furthestShare(job) {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '-'], { input: lines(ENOUGH_JOBS, () => job) });
  const hosts = Array.from({ length: HOSTS }, (_, index) => `host${index + 1}`);
  const feeders = hosts.map((host) =>
    feeder(queue, ['--max_feed=1'], { ...env, RQ_HOST: host, RQ_RUNTIME_DIR: place('run') }),
  );
  const ran = () =>
    JSON.parse(
      rq([queue, 'execute', '--json', "select runner, count(*) as n from jobs where state = 'finished' group by 1"]),
    );
  await until(() => ran().length === HOSTS);
  await sleep(3000);
  const before = new Map(ran().map(({ runner, n }) => [runner, n]));
  await sleep(FAIR_SECONDS * 1000);
  const counts = ran().map(({ runner, n }) => n - before.get(runner));
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
      rows: [
        { name: 'memory of a runner with 1,000 jobs at once', against: '100 MB', unit: 'MB', limit: { atMost: 1 } },
      ],
      round: async () => [{ ours: await atOnce(), theirs: 100 }],
    },
    {
      once: true,
      rows: [
        {
          name: 'a new feeder takes over 100 running jobs, its start included',
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
          name: `eight feeders on one queue, \`${job}\`: the share that is furthest from equal, %`,
          against: '10',
          unit: '%',
          limit: { atMost: 1 },
        },
      ],
      round: async () => [{ ours: (await furthestShare(job)) * 100, theirs: 10 }],
    })),
  ];
}
