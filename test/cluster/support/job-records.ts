// Checks that three sources agree: the submits of the test, the records that jobs keep themselves, and the queue.

import { SILENT } from '../../support/reasons.ts';

/** A job that runs test/fixtures/recorded-job. */
export interface PlannedJob {
  readonly seconds: number;
  readonly status: number;
  readonly restartable?: boolean;
  /** The job ends once this file exists. */
  readonly gate?: string;
  /** The host that may run it. */
  readonly runner?: string;
}

/** One call of `rq submit`, with a unique tag. */
export interface Batch {
  readonly tag: string;
  readonly jobs: readonly PlannedJob[];
  /** The result of the call. It is unknown if the host lost power, or if rq could not determine it. */
  readonly outcome: 'accepted' | 'refused' | 'unknown';
  /** As printed by the call, in the order of the jobs. */
  readonly jids: readonly number[];
}

export interface JobRow {
  readonly jid: number;
  readonly state: string;
  readonly attempt: number;
  readonly runner: string | null;
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly restartable: number;
  readonly tag: string | null;
}

/** The contents of the queue, read by test/fixtures/queue-contents.ts. */
export interface Stored {
  readonly integrity: string;
  readonly orphans: number;
  readonly jobs: readonly JobRow[];
  readonly attempts: readonly Pick<JobRow, 'jid' | 'attempt' | 'runner' | 'reason' | 'exit_status'>[];
  /** The paths of all files and directories in the queue's directory. */
  readonly names: readonly string[];
}

/** The record of one start of a job. Times are in seconds since 1970, by the clock of its host. */
export interface JobRecord {
  readonly jid: number;
  readonly attempt: number;
  readonly host: string;
  readonly started: number;
  readonly ended: number | undefined;
  readonly status: number | undefined;
}

/** The faults of a scenario that jobs may show. */
export interface Permitted {
  /** Hosts that sent no heartbeat for longer than `lost_after`, and hosts that were rebooted. */
  readonly lost?: readonly string[];
  /** Hosts that were rebooted. */
  readonly rebooted?: readonly string[];
  /** Whether starters were killed. */
  readonly startersKilled?: boolean;
}

/** All mistakes, one line each. */
export function findMistakes(
  batches: readonly Batch[],
  stored: Stored,
  records: readonly JobRecord[],
  permitted: Permitted = {},
): string[] {
  return [
    ...(stored.integrity === 'ok' ? [] : [`integrity_check: ${stored.integrity}`]),
    ...(stored.orphans === 0 ? [] : [`foreign_key_check: ${stored.orphans}`]),
    ...wrongSubmissions(batches, stored.jobs),
    ...stored.jobs.flatMap((job) => wrongEnd(job, records, permitted)),
    ...wrongAttempts(stored, permitted),
    ...wrongStarts(stored, records, permitted),
    ...strayNames(stored),
  ];
}

/** Accepted jobs exist with the printed jids, refused jobs do not, and of an unknown submit all jobs exist or none. */
function wrongSubmissions(batches: readonly Batch[], jobs: readonly JobRow[]): string[] {
  const tags = new Map<string | null, JobRow[]>();
  for (const job of jobs) tags.set(job.tag, [...(tags.get(job.tag) ?? []), job]);
  const mistakes = batches.flatMap((batch) => {
    const rows = tags.get(batch.tag) ?? [];
    tags.delete(batch.tag);
    const mistake = `${batch.tag} was ${batch.outcome}, but ${rows.length} of its ${batch.jobs.length} jobs exist`;
    if (batch.outcome === 'accepted' && String(rows.map(({ jid }) => jid)) !== String(batch.jids)) return [mistake];
    if (batch.outcome === 'refused' && rows.length > 0) return [mistake];
    if (batch.outcome === 'unknown' && rows.length > 0 && rows.length !== batch.jobs.length) return [mistake];
    return rows.flatMap((row, index) => wrongStatus(row, batch.jobs[index]));
  });
  return [...mistakes, ...[...tags.keys()].map((tag) => `jobs with the tag ${tag} were not submitted`)];
}

function wrongStatus({ jid, state, exit_status }: JobRow, planned: PlannedJob | undefined): string[] {
  if (state !== 'finished' || exit_status === planned?.status) return [];
  return [`job ${jid} finished with ${exit_status} instead of ${planned?.status}`];
}

/** The end of every job is the one in its own record. */
function wrongEnd(job: JobRow, records: readonly JobRecord[], permitted: Permitted): string[] {
  const { jid, attempt, state, runner, exit_status, reason } = job;
  const own = records.filter((record) => record.jid === jid && record.attempt === attempt);
  if (state === 'dead') {
    if (job.restartable === 0 && isPermitted(reason ?? '', runner, permitted)) return [];
    return [`job ${jid} is dead: ${reason}`];
  }
  if (state !== 'finished') return [`job ${jid} is ${state}`];
  const [record] = own;
  if (own.length === 1 && record?.host === runner && record?.status === exit_status) return [];
  return [
    `job ${jid} finished with ${exit_status} on ${runner}, but attempt ${attempt} recorded ${JSON.stringify(own)}`,
  ];
}

function wrongAttempts({ attempts }: Stored, permitted: Permitted): string[] {
  return attempts.flatMap(({ jid, attempt, runner, reason }) => {
    if (reason === null || isPermitted(reason, runner, permitted)) return [];
    return [`attempt ${attempt} of job ${jid} ended on ${runner}: ${reason}`];
  });
}

function isPermitted(reason: string, host: string | null, permitted: Permitted): boolean {
  const { lost = [], rebooted = [], startersKilled = false } = permitted;
  const silent = SILENT.exec(reason)?.[1];
  if (silent !== undefined) return silent === host && lost.includes(silent);
  if (/^the starter was killed/.test(reason)) return startersKilled;
  return reason === 'the host was rebooted' && host !== null && rebooted.includes(host);
}

/** No attempt and no job that is not restartable starts twice. Attempts overlap only after the loss of a host. */
function wrongStarts({ jobs, attempts }: Stored, records: readonly JobRecord[], { lost = [] }: Permitted): string[] {
  const known = new Set(attempts.map(({ jid, attempt }) => `${jid}.${attempt}`));
  return jobs.flatMap(({ jid, restartable }) => {
    const own = records.filter((record) => record.jid === jid).sort((one, other) => one.started - other.started);
    const names = own.map((record) => `${jid}.${record.attempt}`);
    const overlaps = own.some((record, index) => {
      const next = own[index + 1];
      return next !== undefined && next.started < (record.ended ?? 0) && !lost.includes(record.host);
    });
    return [
      ...(names.every((name) => known.has(name))
        ? []
        : [`job ${jid} ran as ${names}, but the queue has not all of these attempts`]),
      ...(new Set(names).size === names.length ? [] : [`an attempt of job ${jid} was started twice: ${names}`]),
      ...(restartable === 0 && own.length > 1 ? [`job ${jid} is not restartable and was started ${own.length}×`] : []),
      ...(overlaps ? [`attempts of job ${jid} ran at once: ${JSON.stringify(own)}`] : []),
    ];
  });
}

const EXPECTED_NAMES = [
  /^(db|db\.schema|locking\.lease|bin|nodes|stdin|stdout|stderr|data|script)$/,
  /^lease\.\d+\.free$/,
  /^(stdout|stderr)\/(?<jid>\d+)$/,
];

/** At the end, the queue contains only its own directories, the database, one name of a lease, and the output of jobs. */
function strayNames({ names, jobs }: Stored): string[] {
  const jids = new Set(jobs.map(({ jid }) => String(jid)));
  const strays = names.filter((name) => {
    const match = EXPECTED_NAMES.map((pattern) => pattern.exec(name)).find((found) => found !== null);
    const jid = match?.groups?.['jid'];
    return match === undefined || (jid !== undefined && !jids.has(jid));
  });
  const leases = names.filter((name) => name.startsWith('lease.'));
  return [
    ...(strays.length > 0 ? [`left in the queue: ${strays}`] : []),
    ...(leases.length > 1 ? [`names of the lease: ${leases}`] : []),
  ];
}

/** Jobs of varied length and exit status, of which a quarter is restartable. */
export function variedJobs(count: number, seconds: readonly number[] = [0, 0.5, 1, 2]): PlannedJob[] {
  return Array.from({ length: count }, (_, index) => ({
    seconds: seconds[index % seconds.length] ?? 0,
    status: index % 50,
    restartable: index % 4 === 3,
  }));
}
