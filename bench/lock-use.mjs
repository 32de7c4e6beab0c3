// Computes, by the number of hosts and the length of jobs, how much of the slots' time a queue can use, and how long a host
// waits for the lease. docs/performance.md explains the formulas. Usage: node bench/lock-use.mjs [SECONDS OF AN EXCHANGE]
const EXCHANGE = Number(process.argv[2] ?? 0.02);
/**
 * The time that each job adds to an exchange for its claim and its end, in seconds; measured by
 * the row "each additional job in an exchange" of docs/performance.md.
 */
const JOB = 140e-6;
const SLOTS = 16;
/** As in src/feeder/throughput.ts: the most jobs that are claimed ahead, and the shortest time between exchanges. */
const MAX_AHEAD = 512;
const GATHER = 0.1;

function use(hosts, seconds) {
  const rate = SLOTS / seconds;
  const load = hosts * rate * EXCHANGE;
  if (load < 0.9) {
    // Each end has its own exchange, which sometimes waits for one of another host.
    const wait = EXCHANGE + (load * EXCHANGE) / (2 * (1 - load));
    return { used: seconds / (seconds + wait), turn: wait };
  }
  // The lease is always held. Each exchange reports all ends since the last one, and claims as many jobs.
  const free = 1 - hosts * rate * JOB;
  const turn = free > 0 ? Math.max(GATHER + EXCHANGE, (hosts * EXCHANGE) / free) : Number.POSITIVE_INFINITY;
  const most = SLOTS + MAX_AHEAD;
  if (rate * turn <= most) return { used: 1, turn };
  const long = hosts * (EXCHANGE + most * JOB);
  return { used: most / (long * rate), turn: long };
}

const HOSTS = [8, 100, 1000];
const LENGTHS = { '0.1 s': 0.1, '1 s': 1, '10 s': 10, '1 min': 60, '10 min': 600, '1 h': 3600 };
const cell = ({ used, turn }) => `${Math.round(used * 100)} %, ${turn.toPrecision(2)} s`;
process.stdout.write(`| job duration | ${HOSTS.map((hosts) => `${hosts} hosts`).join(' | ')} |\n|---|---|---|---|\n`);
for (const [name, seconds] of Object.entries(LENGTHS)) {
  process.stdout.write(`| ${name} | ${HOSTS.map((hosts) => cell(use(hosts, seconds))).join(' | ')} |\n`);
}
