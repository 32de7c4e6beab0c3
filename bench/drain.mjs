// Jobs per second from the first to the last, against xargs, which has no queue, and against each peer.
import { lines, newQueue, RQ, rq, select, size, timed } from './harness.mjs';
import { peers, xargs } from './peers.mjs';

const JOBS = size(2000);

/** Jobs per second: of the whole command, and from the start of the first job to the end of the command. */
function drain() {
  const queue = newQueue();
  rq([queue, 'submit', '-q', '-'], { input: lines(JOBS, () => 'true') });
  const seconds = timed(RQ, [queue, 'feed', '--until-empty', '--max_feed=2', '-v1']);
  const ended = Date.now();
  const succeeded = "state = 'finished' AND exit_status = 0";
  const [{ first, n }] = select(queue, `SELECT min(started) AS first, count(*) AS n FROM jobs WHERE ${succeeded}`);
  if (n !== JOBS) throw new Error(`${n} of ${JOBS} jobs succeeded`);
  return { whole: JOBS / seconds, warm: (JOBS * 1000) / (ended - Date.parse(first)) };
}

export function drains() {
  const name = 'drain 2,000 `true` jobs in 2 slots and capture the results';
  const limit = '`xargs -P2 -I{} bash -c true`';
  return [
    {
      rows: [
        { name, against: limit, unit: '/s', limit: { atLeast: 0.7 } },
        { name: 'the same drain, including the start of the feeder and the runner', against: limit, unit: '/s' },
        ...peers.map((peer) => ({
          name: 'the same drain, including the start of the feeder and the runner',
          against: peer.name,
          unit: '/s',
          limit: { atLeast: 1 },
        })),
      ],
      round: () => {
        const rate = ({ run, jobs = JOBS }) => jobs / run(jobs);
        const xargsRate = rate({ run: xargs });
        const { whole, warm } = drain();
        const others = peers.map((peer) => ({ ours: whole, theirs: rate(peer) }));
        return [{ ours: warm, theirs: xargsRate }, { ours: whole, theirs: xargsRate }, ...others];
      },
    },
  ];
}
