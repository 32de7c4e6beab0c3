// From a submit to the first instruction of its job, on an idle feeder: of this host, and of another.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, feeder, newQueue, percentile, place, RQ, rq, sleep, timed, until } from './harness.mjs';

const SAMPLES = 20;
const QUEUES = 6;
const FAR_SAMPLES = 2;
/** As `rq q configure` has it unless told otherwise, in seconds. */
const MAX_SLEEP = 5;

/** Milliseconds between the end of a submit and the first instruction of its job; below zero if that came before. */
async function latency(queue, environment) {
  const file = join(place('job'), 'began');
  timed(RQ, [queue, 'submit', '-q', `echo $EPOCHREALTIME > ${file}.new; mv ${file}.new ${file}`], { env: environment });
  const submitted = Date.now();
  await until(() => existsSync(file));
  return Number(readFileSync(file, 'utf8').replace(',', '.')) * 1000 - submitted;
}

/** Seconds of a processor that a process and its ended children have used. */
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

/** A submitter that has another runtime directory cannot wake the feeder, as if it were another host's. */
async function far() {
  const queues = Array.from({ length: QUEUES }, newQueue);
  const feeders = queues.map((queue) => feeder(queue));
  const elsewhere = { ...env, RQ_RUNTIME_DIR: place('elsewhere'), RQ_HOST: 'elsewhere' };
  const waits = [];
  const pids = feeders.map(({ child }) => child.pid);
  let share = 0;
  for (let sample = 0; sample < FAR_SAMPLES; sample++) {
    // Long enough for all to have come to their longest sleeps.
    await sleep(20_000);
    const [before, start] = [pids.map(cpu), performance.now()];
    await sleep(10_000 + Math.random() * 5_000);
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
          name: 'from `submit` to the job, idle feeder of the same host, p95 after the submit',
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
          name: 'the same, feeder of another host, p95',
          against: `\`max_sleep\`, ${max_sleep} s`,
          unit: 'ms',
          limit: { atMost: 2 },
        },
        { name: 'processor that an idle feeder uses, %', against: '0.3', unit: '%', limit: { atMost: 1 } },
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
