// The explanation of a thousand pending jobs of a large queue, and the short form in a list.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lines, newQueue, RQ, rq, size, timed } from './harness.mjs';

const JOBS = size(200_000);
const SHAPES = size(1_000, 10);
const EXPLAINED = size(1_000);
const HOSTS = 16;
const CPUS = 8;
const RANGE = `${JOBS / 2 + 1}-${JOBS / 2 + EXPLAINED}`;

const RUNNING = `UPDATE jobs SET state = 'running', runner = 'n' || (jid % ${HOSTS}), started = submitted, attempt = 1,
  claim = 1, boot = 'b', journal = 'j' WHERE jid <= ${HOSTS * CPUS}`;

/** A queue with pending jobs in as many lanes as there are shapes; `isBusy`: all hosts have as many jobs as cpus. */
function filled(isBusy) {
  const queue = newQueue();
  const job = (n) => JSON.stringify({ command: 'true', lanes: `lane${n % SHAPES}` });
  rq([queue, 'submit', '-q', '-'], { input: `[\n${lines(JOBS, job).trimEnd().replaceAll('\n', ',\n')}\n]\n` });
  if (isBusy) rq([queue, 'execute', RUNNING]);
  return queue;
}

/** Hosts that have just sent a heartbeat. */
function sendHeartbeats(queue) {
  for (let number = 0; number < HOSTS; number++) {
    writeFileSync(join(queue, 'nodes', `n${number}`), `---\nhost: n${number}\nslots: ${CPUS}\n`);
  }
}

export function explanations() {
  const queues = [true, false].map(filled);
  const of = `${EXPLAINED.toLocaleString('en')} of ${JOBS.toLocaleString('en')} pending jobs of ${SHAPES.toLocaleString('en')} shapes`;
  const against = '`list` of the same jobs without `waits_for`';
  const fields = ['--fields', 'jid,state,lanes,command'];
  return [
    {
      rows: [
        { name: `\`why\` of ${of}, ${HOSTS} busy hosts`, against },
        { name: `\`why\` of ${of}, ${HOSTS} idle hosts`, against },
        { name: `\`list\` of ${of} with \`waits_for\``, against },
      ],
      round: () => {
        const [busy] = queues;
        for (const queue of queues) sendHeartbeats(queue);
        const theirs = timed(RQ, [busy, 'list', RANGE, ...fields]);
        const explained = queues.map((queue) => timed(RQ, [queue, 'why', RANGE]));
        const listed = timed(RQ, [busy, 'list', RANGE, '--fields', `${fields[1]},waits_for`]);
        return [...explained, listed].map((ours) => ({ ours, theirs }));
      },
    },
  ];
}
