import { randomUUID } from 'node:crypto';
import type { Queue } from '../../src/queue/open.ts';
import { transaction } from '../../src/queue/transaction/transaction.ts';
import type { Connection, Row } from '../../src/store/connection.ts';

const COUNT = 1_100;
const NOW = '2026-01-02T03:04:05.678Z';
const STATES = ['pending', 'holding', 'running', 'finished', 'dead'] as const;
const INSERT = `INSERT INTO jobs (priority, state, submitted, started, finished, elapsed, submitter, owner, runner, pid,
  exit_status, reason, attempt, tag, restartable, runners, cwd, stdin, stdout, stderr, command, boot, journal)
  VALUES (:priority, :state, :submitted, :started, :finished, :elapsed, 'head', 'ada', :runner, :pid, :exit_status, :reason,
  :attempt, :tag, :restartable, :runners, '/home/ada', :stdin, :stdout, :stderr, :command, :boot, :journal)`;
const ATTEMPT = `INSERT INTO earlier_attempts
  (jid, attempt, runner, pid, started, finished, elapsed, exit_status, signal, reason) VALUES (?, 1, 'node1', 77, ?, ?, 1.5, NULL, NULL, 'the host was rebooted')`;

/** Fills a queue with about 600 jobs in all states. Deleted rows leave free pages and free space in pages. */
export async function fillQueue(queue: Queue, random: () => number): Promise<void> {
  const boot = randomUUID();
  await transaction(queue, ({ connection }) => {
    for (let jid = 1; jid <= COUNT; jid++) insert(connection, jid, random, boot);
  });
  // Deleting ranges frees whole pages; deleting every seventh row frees parts of the others.
  await transaction(queue, ({ connection }) => {
    connection.execute('DELETE FROM jobs WHERE jid BETWEEN 200 AND 320 OR jid BETWEEN 700 AND 900 OR jid % 7 = 3');
    connection.execute('DELETE FROM jobs WHERE jid > 1090');
  });
  await transaction(queue, ({ connection }) => {
    connection.execute("UPDATE jobs SET tag = 'changed' || jid WHERE jid % 11 = 5");
    connection.execute("UPDATE jobs SET command = 'echo short' WHERE jid % 23 = 5");
  });
}

function insert(connection: Connection, jid: number, random: () => number, boot: string): void {
  const state = STATES[Math.floor(random() * STATES.length)] ?? 'pending';
  const ended = state === 'finished' || state === 'dead';
  const ran = ended || state === 'running';
  const attempt = ran ? 1 + Math.floor(random() * 2) : 0;
  connection.run(INSERT, {
    priority: Math.floor(random() * 5) - 2,
    state,
    submitted: time(random),
    started: ran ? time(random) : null,
    finished: ended ? time(random) : null,
    elapsed: ended ? Math.floor(random() * 1000) / 8 : null,
    runner: ran ? `node${Math.floor(random() * 9)}` : null,
    pid: ran ? 1 + Math.floor(random() * 4_000_000) : null,
    exit_status: state === 'finished' ? Math.floor(random() * 3) : null,
    reason: state === 'dead' ? 'the host was rebooted' : null,
    attempt,
    tag: random() < 0.5 ? `tag ${Math.floor(random() * 20)}` : null,
    restartable: random() < 0.5 ? 1 : 0,
    runners: random() < 0.2 ? 'node1,node2' : null,
    stdin: random() < 0.2 ? `stdin/${jid}` : null,
    stdout: ran ? `stdout/${jid}` : null,
    stderr: ran ? `stderr/${jid}` : null,
    command: command(jid, random),
    boot: ran ? boot : null,
    journal: ran ? randomUUID() : null,
  });
  if (attempt > 1) connection.run(ATTEMPT, [jid, NOW, NOW]);
}

/** One command in eight needs overflow pages. */
function command(jid: number, random: () => number): string {
  const size = random() < 0.125 ? 4_000 + random() * 20_000 : random() * 300;
  return `echo ${jid} über ${Math.floor(random() * 1e9)
    .toString(36)
    .repeat(Math.ceil(size / 6))
    .slice(0, size)}`;
}

function time(random: () => number): string {
  return new Date(Date.UTC(2026, 0, 1) + Math.floor(random() * 1e10)).toISOString();
}

export interface JobPages {
  /** The leaf and the overflow pages that hold the row. */
  readonly own: ReadonlySet<number>;
  /** The pages between the root and the leaf. */
  readonly above: ReadonlySet<number>;
}

/** The pages of each job's row, as reported by SQLite. */
export function pagesOfJobs(connection: Connection): Map<number, JobPages> {
  const pages = connection.all(`SELECT path, pageno, pagetype, ncell FROM dbstat WHERE name = 'jobs' ORDER BY path`);
  const jids = connection.all('SELECT jid FROM jobs ORDER BY jid').map((row) => Number(row['jid']));
  const inner = pages.filter((page) => page['pagetype'] === 'internal');
  const numbers = (some: readonly Row[]): Set<number> => new Set(some.map((page) => Number(page['pageno'])));
  const found = new Map<number, JobPages>();
  for (const leaf of pages.filter((page) => page['pagetype'] === 'leaf')) {
    const above = numbers(inner.filter((page) => String(leaf['path']).startsWith(String(page['path']))));
    for (let cell = 0; cell < Number(leaf['ncell']); cell++) {
      const prefix = `${String(leaf['path'])}${cell.toString(16).padStart(3, '0')}+`;
      const chain = pages.filter((page) => String(page['path']).startsWith(prefix));
      found.set(jids.shift() ?? 0, { own: numbers([leaf, ...chain]), above });
    }
  }
  return found;
}

/** All rows of `jobs`, by jid. */
export function jobRows(connection: Connection): Map<number, Row> {
  // A recovery determines the shapes again.
  return new Map(connection.all('SELECT * FROM jobs').map(({ shape: _, ...row }) => [Number(row['jid']), row]));
}
