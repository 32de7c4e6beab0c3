// How many jobs a second come to their end, against no queue at all, and against each peer.

import { lines, newQueue, RQ, rq, timed } from './harness.mjs';
import { peers, xargs } from './peers.mjs';

const JOBS = 2000;

/** Jobs a second: by the whole command, and from when the first job began until the command had ended. */
function drain() {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '-'], { input: lines(JOBS, () => 'true') });
  const seconds = timed(RQ, [queue, 'feed', '--until-empty', '--max_feed=2', '-v1']);
  const ended = Date.now();
  const sql = "select min(started) as first, count(*) as n from jobs where state = 'finished' and exit_status = 0";
  const [{ first, n }] = JSON.parse(rq([queue, 'execute', '--json', sql]));
  if (n !== JOBS) throw new Error(`${n} of ${JOBS} jobs ended well`);
  return { cold: JOBS / seconds, warm: (JOBS * 1000) / (ended - Date.parse(first)) };
}

export function drains() {
  const name = 'drain 2,000 `true`, 2 slots, results captured';
  const limit = '`xargs -P2 -I{} bash -c true`';
  return [
    {
      rows: [
        { name, against: limit, unit: '/s', limit: { atLeast: 0.7 } },
        { name: 'the same, with the start of feeder and runner', against: limit, unit: '/s' },
        ...peers.map((peer) => ({
          name: 'the same, with the start',
          against: peer.name,
          unit: '/s',
          limit: { atLeast: 1 },
        })),
      ],
      round: () => {
        const rate = ({ run, fixed }) => (fixed ?? JOBS) / run(fixed ?? JOBS);
        const alone = rate({ run: xargs });
        const { cold, warm } = drain();
        const others = peers.map((peer) => ({ ours: cold, theirs: rate(peer) }));
        return [{ ours: warm, theirs: alone }, { ours: cold, theirs: alone }, ...others];
      },
    },
  ];
}
