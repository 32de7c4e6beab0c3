// How throughput grows with hosts: feeders of four slots each, as if of different hosts, run jobs of a tenth of a second.
import { env, feeder, lines, newQueue, place, rq, sleep, until } from './harness.mjs';

const SLOTS = 4;
const JOB_SECONDS = 0.1;
const SECONDS = 10;

/** Jobs a second that so many hosts run together. */
async function rate(hosts) {
  const queue = newQueue();
  const jobs = Math.ceil((hosts * SLOTS * (SECONDS + 20)) / JOB_SECONDS);
  rq([queue, 'submit', '-q', '-'], { input: lines(jobs, () => `sleep ${JOB_SECONDS}`) });
  const feeders = Array.from({ length: hosts }, (_, index) =>
    feeder(queue, [`--max_feed=${SLOTS}`], { ...env, RQ_HOST: `host${index + 1}`, RQ_RUNTIME_DIR: place('run') }),
  );
  const count = (where, what = 'count(*)') =>
    JSON.parse(rq([queue, 'execute', '--json', `select ${what} as n from jobs where ${where}`]))[0].n;
  await until(() => count("state = 'finished'", 'count(distinct runner)') === hosts);
  await sleep(2000);
  const [before, start] = [count("state = 'finished'"), performance.now()];
  await sleep(SECONDS * 1000);
  const ran = count("state = 'finished'") - before;
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(feeders.map(({ stop }) => stop()));
  return ran / seconds;
}

export function scaling() {
  return [1, 2, 4, 8].map((hosts) => ({
    once: true,
    rows: [
      {
        name: `${hosts} host${hosts > 1 ? 's' : ''} of ${SLOTS} slots, jobs of ${JOB_SECONDS} s, one queue`,
        against: 'all slots busy all the time',
        unit: '/s',
      },
    ],
    round: async () => [{ ours: await rate(hosts), theirs: (hosts * SLOTS) / JOB_SECONDS }],
  }));
}
