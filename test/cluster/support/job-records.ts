// The books: what was submitted, what each job noted of itself, and what the queue says became of it have to agree.

/** What a job of the books is and does (test/fixtures/recorded-job). */
export interface PlannedJob {
  readonly seconds: number;
  readonly status: number;
  readonly restartable?: boolean;
  /** It ends when this file is there. */
  readonly gate?: string;
  /** The hosts that may run it. */
  readonly runner?: string;
}

/** One call of `rq submit`; its jobs have its tag. */
export interface Batch {
  readonly tag: string;
  readonly jobs: readonly PlannedJob[];
  /** What the call said; 'unknown' where its host lost its power, or it could not be told. */
  readonly outcome: 'accepted' | 'refused' | 'unknown';
  /** That it printed, in the order of the jobs. */
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

/** What is stored (test/fixtures/queue-look.ts). */
export interface Stored {
  readonly integrity: string;
  readonly orphans: number;
  readonly jobs: readonly JobRow[];
  readonly attempts: readonly Pick<JobRow, 'jid' | 'attempt' | 'runner' | 'reason' | 'exit_status'>[];
  /** Of all files and directories in the queue's. */
  readonly names: readonly string[];
}

/** What a job noted, each time that it was started. Times are seconds since 1970 by its host's clock. */
export interface JobRecord {
  readonly jid: number;
  readonly attempt: number;
  readonly host: string;
  readonly started: number;
  readonly ended: number | undefined;
  readonly status: number | undefined;
}

/** What a scenario did, of which jobs may bear the marks. */
export interface Permitted {
  /** Hosts that sent no heartbeat for longer than `lost_after`, and hosts that were rebooted. */
  readonly lost?: readonly string[];
  readonly rebooted?: readonly string[];
  /** Runners were killed. */
  readonly runnersKilled?: boolean;
}

const SILENT = /^its host (\S+) sent no heartbeat/;

/** Everything in the books that is not as it must be, in words; nothing where all is right. */
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

/** What was accepted is there, with the jids that were told; what was not is either all there or not at all. */
function wrongSubmissions(batches: readonly Batch[], jobs: readonly JobRow[]): string[] {
  const tags = new Map<string | null, JobRow[]>();
  for (const job of jobs) tags.set(job.tag, [...(tags.get(job.tag) ?? []), job]);
  const mistakes = batches.flatMap((batch) => {
    const rows = tags.get(batch.tag) ?? [];
    tags.delete(batch.tag);
    const is = `${batch.tag} was ${batch.outcome}, and ${rows.length} of its ${batch.jobs.length} jobs are there`;
    if (batch.outcome === 'accepted' && String(rows.map(({ jid }) => jid)) !== String(batch.jids)) return [is];
    if (batch.outcome === 'refused' && rows.length > 0) return [is];
    if (batch.outcome === 'unknown' && rows.length > 0 && rows.length !== batch.jobs.length) return [is];
    return rows.flatMap((row, index) => wrongStatus(row, batch.jobs[index]));
  });
  return [...mistakes, ...[...tags.keys()].map((tag) => `jobs with the tag ${tag} that nobody submitted`)];
}

function wrongStatus({ jid, state, exit_status }: JobRow, planned: PlannedJob | undefined): string[] {
  if (state !== 'finished' || exit_status === planned?.status) return [];
  return [`job ${jid} is finished with ${exit_status} and must end with ${planned?.status}`];
}

/** Every job came to one end, and to the one that its own record tells. */
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
  return [`job ${jid} is finished with ${exit_status} on ${runner}; attempt ${attempt} noted ${JSON.stringify(own)}`];
}

function wrongAttempts({ attempts }: Stored, permitted: Permitted): string[] {
  return attempts.flatMap(({ jid, attempt, runner, reason }) => {
    if (reason === null || reason === 'it was never started' || isPermitted(reason, runner, permitted)) return [];
    return [`attempt ${attempt} of job ${jid} ended on ${runner}: ${reason}`];
  });
}

function isPermitted(reason: string, host: string | null, permitted: Permitted): boolean {
  const { lost = [], rebooted = [], runnersKilled = false } = permitted;
  const silent = SILENT.exec(reason)?.[1];
  if (silent !== undefined) return silent === host && lost.includes(silent);
  if (/^the runner was killed/.test(reason)) return runnersKilled;
  return reason === 'the host was rebooted' && host !== null && rebooted.includes(host);
}

/** No attempt is started twice, nor a job that is not restartable; two run at once only where a host was lost. */
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
      ...(names.every((name) => known.has(name)) ? [] : [`job ${jid} ran as ${names}, which is not all on record`]),
      ...(new Set(names).size === names.length ? [] : [`an attempt of job ${jid} was started twice: ${names}`]),
      ...(restartable === 0 && own.length > 1 ? [`job ${jid} is not restartable and was started ${own.length}×`] : []),
      ...(overlaps ? [`attempts of job ${jid} ran at once: ${JSON.stringify(own)}`] : []),
    ];
  });
}

const BELONGING = [
  /^(db|db\.schema|locking\.lease|bin|nodes|stdin|stdout|stderr|data)$/,
  /^lease\.\d+\.free$/,
  /^(stdout|stderr)\/(?<jid>\d+)$/,
];

/** When all have ended, nothing lies in the queue but the database, one name of a lease, and what jobs printed. */
function strayNames({ names, jobs }: Stored): string[] {
  const jids = new Set(jobs.map(({ jid }) => String(jid)));
  const strays = names.filter((name) => {
    const match = BELONGING.map((pattern) => pattern.exec(name)).find((found) => found !== null);
    const jid = match?.groups?.['jid'];
    return match === undefined || (jid !== undefined && !jids.has(jid));
  });
  const leases = names.filter((name) => name.startsWith('lease.'));
  return [
    ...(strays.length > 0 ? [`left in the queue: ${strays}`] : []),
    ...(leases.length > 1 ? [`names of the lease: ${leases}`] : []),
  ];
}

/** So many jobs of all kinds: a quarter is restartable, each ends with another status, most take a moment. */
export function variedJobs(count: number, seconds: readonly number[] = [0, 0.5, 1, 2]): PlannedJob[] {
  return Array.from({ length: count }, (_, index) => ({
    seconds: seconds[index % seconds.length] ?? 0,
    status: index % 50,
    restartable: index % 4 === 3,
  }));
}
