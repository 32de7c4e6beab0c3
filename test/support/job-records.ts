import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Workbench } from './program.ts';

/** What a job wrote of one of its attempts itself, synced: that it began, and with what it was about to end. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly pid: number;
  /** Seconds since the epoch. */
  readonly began: number;
  /** Undefined where it did not come to its end. */
  readonly ended: { readonly status: string; readonly at: number } | undefined;
}

/** A job's row and its attempts, wherever it is now. */
export interface StoredJob {
  readonly jid: number;
  readonly state: string;
  readonly attempt: number;
  readonly restartable?: boolean;
  readonly exit_status?: number;
  readonly signal?: string;
  readonly reason?: string;
  readonly tag?: string;
}

/** A batch of jobs with a tag of its own: accepted if rq said so, and its submit was not killed. */
export interface Batch {
  readonly tag: string;
  readonly size: number;
  readonly isAccepted: boolean;
}

/** Why a job may be dead, or have been given to another attempt, after what was done to feeders and runners. */
const LOST = /the runner was killed|gave no sign of life/;
/** Of these the earlier attempt may go on beside the next: nobody can reach it. */
const MAY_OVERLAP = /gave no sign of life/;

/**
 * A command that keeps such a record in `rec/` of its working directory, sleeps so long, and ends with an exit status or
 * by a signal.
 */
export function recordingCommand(seconds: string, end: number | `SIG${string}`): string {
  const note = 'n() { echo "$1 $RQ_ATTEMPT $2 $(date +%s.%N)" >>rec/$RQ_JID && sync rec/$RQ_JID; }';
  const last = typeof end === 'number' ? `exit ${end}` : `kill -${end.slice(3)} $$; sleep 9`;
  return `${note}; n start $$; sleep ${seconds}; n end ${end}; ${last}`;
}

export function recordsOf(directory: string, jid: number): AttemptRecord[] {
  const path = join(directory, 'rec', String(jid));
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const ends = new Map(lines.filter(([what]) => what === 'end').map((line) => [line[1], line]));
  return lines
    .filter(([what]) => what === 'start')
    .map(([, attempt, pid, at]) => {
      const end = ends.get(attempt);
      const ended = end === undefined ? undefined : { status: end[2] ?? '', at: Number(end[3]) };
      return { attempt: Number(attempt), pid: Number(pid), began: Number(at), ended };
    });
}

/**
 * What is wrong in the books of a queue that has come to rest, a line each: jobs that are missing or there twice, that
 * have no end or another one than they had in truth, that ran when they might not. `killed` has `jid.attempt` of those
 * that were killed from outside.
 */
export async function findMistakes(
  bench: Workbench,
  places: readonly string[],
  batches: readonly Batch[],
  killed: ReadonlySet<string>,
): Promise<string[]> {
  const wrong: string[] = [];
  const stored = new Map<number, StoredJob>();
  for (const place of places) {
    for (const job of await jobsIn(bench, place)) {
      if (stored.has(job.jid)) wrong.push(`job ${job.jid} is in two places, one is ${place}`);
      stored.set(job.jid, job);
    }
  }
  const counts = new Map<string | undefined, number>();
  for (const { tag } of stored.values()) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  for (const { tag, size, isAccepted } of batches) {
    const count = counts.get(tag) ?? 0;
    if (count !== size && (isAccepted || count !== 0)) wrong.push(`of batch ${tag} ${count} of ${size} jobs are there`);
  }
  const reasons = new Map(places.flatMap((place) => reasonsIn(bench, place)));
  for (const job of stored.values()) {
    const records = recordsOf(bench.directory, job.jid);
    wrong.push(...wrongInJob(job, records, { killed, reasons }).map((line) => `job ${job.jid}: ${line}`));
  }
  return wrong;
}

interface Circumstances {
  readonly killed: ReadonlySet<string>;
  /** Why attempts that were followed by another were lost, by `jid.attempt`. */
  readonly reasons: ReadonlyMap<string, string>;
}

function wrongInJob(job: StoredJob, records: readonly AttemptRecord[], { killed, reasons }: Circumstances): string[] {
  const wrong: string[] = [];
  const { jid, state, attempt, exit_status, signal, reason, restartable } = job;
  const last = records.find((record) => record.attempt === attempt);
  if (restartable !== true && records.length > 1) wrong.push(`started ${records.length} times, and is not restartable`);
  if (new Set(records.map((record) => record.attempt)).size < records.length)
    wrong.push('an attempt was started twice');
  if (state === 'finished') {
    const how = signal ?? String(exit_status);
    const isKilled = killed.has(`${jid}.${attempt}`) && (signal === 'SIGKILL' || signal === 'SIGTERM');
    if (!isKilled && last?.ended?.status !== how) wrong.push(`ended with ${how}, in truth with ${last?.ended?.status}`);
  } else if (state !== 'dead') wrong.push(`is ${state}`);
  else if (restartable === true || !LOST.test(reason ?? '')) wrong.push(`is dead: ${reason}`);
  for (const [index, { ended, began, attempt: number }] of records.entries()) {
    const next = records[index + 1];
    if (next === undefined || (ended !== undefined && ended.at <= next.began) || ended === undefined) continue;
    if (MAY_OVERLAP.test(reasons.get(`${jid}.${number}`) ?? '')) continue;
    wrong.push(`attempt ${number} began ${began} and was not over when ${next.attempt} began at ${next.began}`);
  }
  return wrong;
}

async function jobsIn(bench: Workbench, place: string): Promise<StoredJob[]> {
  const { status, stdout, stderr } = await bench.run([place, 'list', '--json']);
  if (status !== 0 && !/^rq: cannot \w+: no job in/.test(stderr)) throw new Error(`cannot read ${place}: ${stderr}`);
  return status === 3 ? [] : (JSON.parse(stdout) as StoredJob[]);
}

/** Why attempts that were followed by another were lost. */
function reasonsIn(bench: Workbench, place: string): [string, string][] {
  const path = place === 'QUEUE' ? bench.queue : place;
  const database = new Database(join(path, 'db'), { readonly: true });
  const rows = database.prepare('SELECT jid, attempt, reason FROM earlier_attempts').all() as Record<string, unknown>[];
  database.close();
  return rows.map(({ jid, attempt, reason }) => [`${jid}.${attempt}`, String(reason)]);
}

/** What is left of feeders, runners and killed modes after all of them ended: nothing may be. */
export function strayFiles(bench: Workbench): string[] {
  const inQueue = ['', 'nodes', 'stdin', 'data'].flatMap((folder) =>
    readdirSync(join(bench.queue, folder))
      .filter(
        (name) => name.startsWith('.') || folder === 'nodes' || /^lease\.\d+$/.test(name) || name === 'db-journal',
      )
      .map((name) => join('q', folder, name)),
  );
  const besides = readdirSync(join(bench.directory, 'rot')).filter((name) => name.startsWith('.'));
  const runtime = bench.environment['RQ_RUNTIME_DIR'] ?? '';
  const inRuntime = readdirSync(runtime, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:pid|sock|lease|new)$|scripts\/./.test(name),
  );
  return [...inQueue, ...besides, ...inRuntime];
}
