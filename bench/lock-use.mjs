// How much of the slots' time a queue can use, by hosts and length of jobs, and how often a host gets its turn at the
// one lock: the model of docs/performance.md as a table. Usage: node bench/model.mjs [SECONDS OF AN EXCHANGE]
const EXCHANGE = Number(process.argv[2] ?? 0.02);
/** What each job adds to an exchange, its claim and its end: `npm run bench -- --only claims` measures it. */
const JOB = 35e-6;
const SLOTS = 16;
/** As in src/feeder/pace.ts: how many jobs are claimed ahead at most, and how long results gather at least. */
const MOST_AHEAD = 512;
const GATHER = 0.1;

function use(hosts, seconds) {
  const rate = SLOTS / seconds;
  const load = hosts * rate * EXCHANGE;
  if (load < 0.9) {
    // Each end has an exchange of its own, and now and then waits for another's.
    const wait = EXCHANGE + (load * EXCHANGE) / (2 * (1 - load));
    return { used: seconds / (seconds + wait), turn: wait };
  }
  // The lock is always busy: a turn reports all that ended since the last, and claims as many.
  const free = 1 - hosts * rate * JOB;
  const turn = free > 0 ? Math.max(GATHER + EXCHANGE, (hosts * EXCHANGE) / free) : Number.POSITIVE_INFINITY;
  const most = SLOTS + MOST_AHEAD;
  if (rate * turn <= most) return { used: 1, turn };
  const long = hosts * (EXCHANGE + most * JOB);
  return { used: most / (long * rate), turn: long };
}

const HOSTS = [8, 100, 1000];
const LENGTHS = { '0.1 s': 0.1, '1 s': 1, '10 s': 10, '1 min': 60, '10 min': 600, '1 h': 3600 };
const show = ({ used, turn }) => `${Math.round(used * 100)} %, ${turn.toPrecision(2)} s`;
process.stdout.write(`| jobs of | ${HOSTS.map((hosts) => `${hosts} hosts`).join(' | ')} |\n|---|---|---|---|\n`);
for (const [name, seconds] of Object.entries(LENGTHS)) {
  process.stdout.write(`| ${name} | ${HOSTS.map((hosts) => show(use(hosts, seconds))).join(' | ')} |\n`);
}
