import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { diedOfDependency, findPlacementMistakes, type Limits } from './placement-records.ts';
import type { Workbench } from './program.ts';

/** The record that a job keeps of one attempt, synced to disk. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly pid: number;
  /** Seconds since the epoch. */
  readonly began: number;
  /** Undefined if the attempt was killed. `status` is the exit status or the signal with which it is about to end. */
  readonly ended: { readonly status: string; readonly at: number } | undefined;
}

/** A job as `list` prints it, from the queue or from a rotation. */
export interface StoredJob {
  readonly jid: number;
  readonly state: string;
  readonly attempt: number;
  readonly restartable?: boolean;
  readonly exit_status?: number;
  readonly signal?: string;
  readonly reason?: string;
  readonly tag?: string;
  readonly retries?: number;
  readonly runner?: string;
  readonly cpus?: number;
  readonly lanes?: string;
  readonly after?: string;
}

/** The jobs of one submit, with a unique tag. A submit that was killed is not accepted. */
export interface Batch {
  readonly tag: string;
  readonly size: number;
  readonly isAccepted: boolean;
}

/** The reasons for which a job may be dead or get another attempt, after kills of feeders, runners and starters. */
const LOST = /the starter was killed|sent no heartbeat/;
/** Why a job is dead that `rq kill` was to end, and why its process ended. */
const KILLED_BEFORE = /^killed before it began, by /;
const KILLED = /^killed by /;
const TIME_LIMIT = /^time limit of /;
/** After this reason the earlier attempt may still run beside the next one, because its host cannot be reached. */
export const MAY_OVERLAP = /sent no heartbeat/;

/**
 * A command line that keeps a record in `rec/` of its working directory, sleeps, and ends with an exit status or by a
 * signal.
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
  const ends = new Map(lines.filter(([event]) => event === 'end').map((line) => [line[1], line]));
  return lines
    .filter(([event]) => event === 'start')
    .map(([, attempt, pid, at]) => {
      const end = ends.get(attempt);
      const ended = end === undefined ? undefined : { status: end[2] ?? '', at: Number(end[3]) };
      return { attempt: Number(attempt), pid: Number(pid), began: Number(at), ended };
    });
}

/**
 * Compares the jobs of a drained queue and its rotations with the submitted batches and with the jobs' own records.
 * Returns one line per mistake: a missing or duplicate job, a wrong or missing end, a start that was not allowed.
 * `killed` contains `jid.attempt` of jobs that were killed from outside, and `wished` jids that `rq kill` was to end.
 */
export async function findMistakes(
  bench: Workbench,
  places: readonly string[],
  batches: readonly Batch[],
  killed: ReadonlySet<string>,
  wished: ReadonlySet<number> = new Set(),
  limits: Limits = { lanes: {}, cpus: Number.POSITIVE_INFINITY },
): Promise<string[]> {
  const mistakes: string[] = [];
  const jobs = new Map<number, StoredJob>();
  for (const place of places) {
    for (const job of await jobsIn(bench, place)) {
      if (jobs.has(job.jid)) mistakes.push(`job ${job.jid} is in two places, one is ${place}`);
      jobs.set(job.jid, job);
    }
  }
  const counts = new Map<string | undefined, number>();
  for (const { tag } of jobs.values()) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  for (const { tag, size, isAccepted } of batches) {
    const count = counts.get(tag) ?? 0;
    if (count !== size && (isAccepted || count !== 0)) mistakes.push(`${tag}: ${count} of ${size} jobs exist`);
  }
  const reasons = new Map(places.flatMap((place) => lossReasons(bench, place)));
  for (const job of jobs.values()) {
    const records = recordsOf(bench.directory, job.jid);
    const ofEnd = diedOfDependency(job, jobs)
      ? records.map(() => 'ran, but died of a dependency')
      : mistakesOfEnd(job, records, killed, wished);
    const ofJob = [...mistakesOfStarts(job, records, reasons), ...ofEnd];
    mistakes.push(...ofJob.map((line) => `job ${job.jid}: ${line}`));
  }
  return [...mistakes, ...findPlacementMistakes(bench, jobs, batches, reasons, limits)];
}

/** The state, exit status and signal have to match the job's own record. */
function mistakesOfEnd(
  job: StoredJob,
  records: readonly AttemptRecord[],
  killed: ReadonlySet<string>,
  wished: ReadonlySet<number>,
): string[] {
  const { jid, state, attempt, exit_status, signal, reason = '', restartable } = job;
  const isKilled = KILLED.test(reason) || KILLED_BEFORE.test(reason);
  if (isKilled && !wished.has(jid)) return [`was killed without an order: ${reason}`];
  if (isKilled && state === 'dead') {
    if (KILLED_BEFORE.test(reason)) return records.length <= attempt ? [] : [`began, but its reason says: ${reason}`];
    return LOST.test(reason) ? [] : [`is dead: ${reason}`];
  }
  if (state === 'dead') return restartable === true || !LOST.test(reason) ? [`is dead: ${reason}`] : [];
  if (state !== 'finished') return [`is ${state}`];
  const isForced = killed.has(`${jid}.${attempt}`) || isKilled || TIME_LIMIT.test(reason);
  if (isForced && (signal === 'SIGKILL' || signal === 'SIGTERM')) return [];
  const stored = signal ?? String(exit_status);
  const recorded = records.find((record) => record.attempt === attempt)?.ended?.status;
  return recorded === stored ? [] : [`ended with ${stored}, but its record says ${recorded}`];
}

/** No attempt starts twice, no job that is not restartable starts again, and attempts do not overlap. */
function mistakesOfStarts(
  { jid, restartable, retries = 0 }: StoredJob,
  records: readonly AttemptRecord[],
  reasons: ReadonlyMap<string, string>,
): string[] {
  const mistakes: string[] = [];
  if (restartable !== true && records.length > 1 + retries) {
    mistakes.push(`started ${records.length} times, but is not restartable`);
  }
  if (new Set(records.map(({ attempt }) => attempt)).size < records.length) {
    mistakes.push('an attempt was started twice');
  }
  for (const [index, { ended, began, attempt }] of records.entries()) {
    const next = records[index + 1];
    if (next === undefined || ended === undefined || ended.at <= next.began) continue;
    if (MAY_OVERLAP.test(reasons.get(`${jid}.${attempt}`) ?? '')) continue;
    mistakes.push(`attempt ${attempt} began ${began} and still ran when ${next.attempt} began at ${next.began}`);
  }
  return mistakes;
}

async function jobsIn(bench: Workbench, place: string): Promise<StoredJob[]> {
  const { status, stdout, stderr } = await bench.run([place, 'list', '--json']);
  if (status !== 0 && status !== 3) throw new Error(`cannot read ${place}: ${stderr}`);
  return status === 3 ? [] : (JSON.parse(stdout) as StoredJob[]);
}

/** The reasons of lost attempts that were followed by another attempt, by `jid.attempt`. */
function lossReasons(bench: Workbench, place: string): [string, string][] {
  const path = place === 'QUEUE' ? bench.queue : place;
  const database = new Database(join(path, 'db'), { readonly: true });
  const rows = database.prepare('SELECT jid, attempt, reason FROM earlier_attempts').all() as Record<string, unknown>[];
  database.close();
  return rows.map(({ jid, attempt, reason }) => [`${jid}.${attempt}`, String(reason)]);
}

/** Temporary files, pid files, sockets and leases that remain after all processes have ended. */
export function strayFiles(bench: Workbench): string[] {
  const inQueue = ['', 'nodes', 'stdin', 'data'].flatMap((folder) =>
    readdirSync(join(bench.queue, folder))
      .filter(
        (name) => name.startsWith('.') || folder === 'nodes' || /^lease\.\d+$/.test(name) || name === 'db-journal',
      )
      .map((name) => join('q', folder, name)),
  );
  const inRotations = readdirSync(join(bench.directory, 'rot')).filter((name) => name.startsWith('.'));
  const runtime = bench.environment['RQ_RUNTIME_DIR'] ?? '';
  const inRuntime = readdirSync(runtime, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:pid|sock|lease|new)$|scripts\/./.test(name),
  );
  return [...inQueue, ...inRotations, ...inRuntime];
}
