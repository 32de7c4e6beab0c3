// From a submit to the first instruction of its job, with an idle feeder: on the same host, and on another.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, feeder, newQueue, percentile, place, RQ, rq, size, sleep, timed, until } from './harness.mjs';

const SAMPLES = size(20, 1);
const QUEUES = size(6, 1);
const FAR_SAMPLES = size(2, 1);
/** Long enough for all feeders to reach their longest sleep. */
const IDLE_MS = size(20_000);
const MEASURED_MS = size(12_500);
/** The default of `rq q configure`, in seconds. */
const MAX_SLEEP = 5;

/** Milliseconds from the end of a submit to the first instruction of its job; negative if the job was faster. */
async function latency(queue, environment) {
  const file = join(place('job'), 'began');
  timed(RQ, [queue, 'submit', '-q', `echo $EPOCHREALTIME > ${file}.new; mv ${file}.new ${file}`], { env: environment });
  const submitted = Date.now();
  await until(() => existsSync(file));
  return Number(readFileSync(file, 'utf8').replace(',', '.')) * 1000 - submitted;
}

/** Processor time of a process and its ended children, in seconds. */
function cpu(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function near() {
  const queue = newQueue();
  const { stop } = feeder(queue);
  await latency(queue, env);
  const waits = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    await sleep(300 + Math.random() * 400);
    waits.push(await latency(queue, env));
  }
  await stop();
  return percentile(waits, 95);
}

/** A submitter with another runtime directory cannot wake the feeder, like a submitter on another host. */
async function far() {
  const queues = Array.from({ length: QUEUES }, newQueue);
  const feeders = queues.map((queue) => feeder(queue));
  const elsewhere = { ...env, RQ_RUNTIME_DIR: place('elsewhere'), RQ_HOST: 'elsewhere' };
  const waits = [];
  const pids = feeders.map(({ child }) => child.pid);
  let share = 0;
  for (let sample = 0; sample < FAR_SAMPLES; sample++) {
    await sleep(IDLE_MS);
    const [before, start] = [pids.map(cpu), performance.now()];
    await sleep(MEASURED_MS * (0.8 + Math.random() * 0.4));
    const used = pids.map((pid, index) => cpu(pid) - before[index]).reduce((a, b) => a + b, 0);
    share = Math.max(share, used / pids.length / ((performance.now() - start) / 1000));
    waits.push(...(await Promise.all(queues.map((queue) => latency(queue, elsewhere)))));
  }
  await Promise.all(feeders.map(({ stop }) => stop()));
  return { p95: percentile(waits, 95), share };
}

export function latencies() {
  const configured = rq([newQueue(), 'configure', '--json']);
  const { max_sleep = MAX_SLEEP } = JSON.parse(configured);
  return [
    {
      rows: [
        {
          name: 'time from the end of `submit` to the start of the job, idle feeder on the same host (p95)',
          against: '100 ms',
          unit: 'ms',
          limit: { atMost: 1 },
        },
      ],
      round: async () => [{ ours: await near(), theirs: 100 }],
    },
    {
      once: true,
      rows: [
        {
          name: 'the same time with the feeder on another host (p95)',
          against: `\`max_sleep\`, ${max_sleep} s`,
          unit: 'ms',
          limit: { atMost: 2 },
        },
        { name: 'processor time of an idle feeder', against: '0.3', unit: '%', limit: { atMost: 1 } },
      ],
      round: async () => {
        const { p95, share } = await far();
        return [
          { ours: p95, theirs: max_sleep * 1000 },
          { ours: share * 100, theirs: 0.3 },
        ];
      },
    },
  ];
}
