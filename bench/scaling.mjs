// Throughput by the number of hosts: feeders with four slots each, under different host names, run jobs of 0.1 s.
import { env, feeder, isSmoke, lines, newQueue, place, rq, select, size, sleep, until } from './harness.mjs';

const HOSTS = isSmoke ? [1, 2] : [1, 2, 4, 8];
const SLOTS = 4;
const JOB_SECONDS = 0.1;
const SECONDS = size(10, 0.5);
const WARM_UP_MS = size(2000, 0);

/** Jobs per second of all hosts together. */
async function rate(hosts) {
  const queue = newQueue();
  const jobs = Math.ceil((hosts * SLOTS * (SECONDS + 20)) / JOB_SECONDS);
  rq([queue, 'submit', '-q', '-'], { input: lines(jobs, () => `sleep ${JOB_SECONDS}`) });
  const feeders = Array.from({ length: hosts }, (_, index) =>
    feeder(queue, [`--max_feed=${SLOTS}`], { ...env, RQ_HOST: `host${index + 1}`, RQ_RUNTIME_DIR: place('run') }),
  );
  const finished = (what) => select(queue, `SELECT count(${what}) AS n FROM jobs WHERE state = 'finished'`)[0].n;
  await until(() => finished('DISTINCT runner') === hosts);
  await sleep(WARM_UP_MS);
  const [before, start] = [finished('*'), performance.now()];
  await sleep(SECONDS * 1000);
  const ran = finished('*') - before;
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(feeders.map(({ stop }) => stop()));
  return ran / seconds;
}

export function scaling() {
  return HOSTS.map((hosts) => ({
    once: true,
    rows: [
      {
        name: `${hosts} host${hosts > 1 ? 's' : ''} with ${SLOTS} slots, running jobs of ${JOB_SECONDS} s from one queue`,
        against: 'all slots always busy',
        unit: '/s',
      },
    ],
    round: async () => [{ ours: await rate(hosts), theirs: (hosts * SLOTS) / JOB_SECONDS }],
  }));
}
