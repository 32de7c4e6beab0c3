import { type Batch, MAY_OVERLAP, recordsOf, type StoredJob } from './job-records.ts';
import type { Workbench } from './program.ts';

/** The limits of the lanes, and the cpus of each host. */
export interface Limits {
  readonly lanes: Readonly<Record<string, number>>;
  readonly cpus: number;
}

interface Run {
  readonly jid: number;
  readonly began: number;
  readonly ended: number;
  readonly weight: number;
}

const NEEDS = /^needs (\d+), which (failed|was deleted)$/;

/**
 * Compares the jobs' own records with their dependencies, with the limits of lanes, and with the cpus of hosts. Attempts of
 * which no end is recorded, and lost ones that may still have run, are left out. Returns one line per mistake.
 */
export function findPlacementMistakes(
  bench: Workbench,
  jobs: ReadonlyMap<number, StoredJob>,
  batches: readonly Batch[],
  reasons: ReadonlyMap<string, string>,
  limits: Limits,
): string[] {
  const runs = new Map([...jobs.values()].map((job) => [job.jid, runsOf(bench, job, reasons)]));
  const mistakes = batches.flatMap((batch) => mistakesOfDependents(batch, jobs, runs));
  for (const [lane, limit] of Object.entries(limits.lanes)) {
    const inLane = [...jobs.values()].filter(({ lanes }) => lanes?.split(',').includes(lane) === true);
    const all = inLane.flatMap(({ jid }) => runs.get(jid) ?? []).map((run) => ({ ...run, weight: 1 }));
    mistakes.push(...overloads(all, limit, `lane ${lane}`));
  }
  for (const host of new Set([...jobs.values()].map(({ runner }) => runner))) {
    const last = [...jobs.values()].filter(({ runner }) => runner === host && runner !== undefined);
    mistakes.push(
      ...overloads(
        last.flatMap((job) => runs.get(job.jid)?.slice(-1) ?? []),
        limits.cpus,
        `host ${host}`,
      ),
    );
  }
  return mistakes;
}

/** Whether the reason of a dead job names a dependency that the records confirm. */
export function diedOfDependency({ reason = '' }: StoredJob, jobs: ReadonlyMap<number, StoredJob>): boolean {
  const jid = NEEDS.exec(reason)?.[1];
  const parent = jid === undefined ? undefined : jobs.get(Number(jid));
  return parent !== undefined && hasFailed(parent);
}

function hasFailed({ state, exit_status, reason }: StoredJob): boolean {
  return state === 'dead' || exit_status !== 0 || reason !== undefined;
}

function runsOf(bench: Workbench, { jid, cpus = 1 }: StoredJob, reasons: ReadonlyMap<string, string>): Run[] {
  return recordsOf(bench.directory, jid).flatMap(({ attempt, began, ended }) => {
    if (ended === undefined || MAY_OVERLAP.test(reasons.get(`${jid}.${attempt}`) ?? '')) return [];
    return [{ jid, began, ended: ended.at, weight: cpus }];
  });
}

/** No job begins before all jobs of the batch that it is after have ended. */
function mistakesOfDependents(
  { tag }: Batch,
  jobs: ReadonlyMap<number, StoredJob>,
  runs: ReadonlyMap<number, readonly Run[]>,
): string[] {
  const parents = [...jobs.values()].filter((job) => job.tag === tag && job.state === 'finished');
  const lastEnd = Math.max(0, ...parents.flatMap(({ jid }) => (runs.get(jid) ?? []).map(({ ended }) => ended)));
  return [...jobs.values()]
    .filter(({ after }) => after?.split(':').at(-1) === `tag=${tag}`)
    .flatMap(({ jid }) => {
      const began = Math.min(...(runs.get(jid) ?? []).map((run) => run.began));
      return began < lastEnd ? [`job ${jid} began at ${began}, before ${tag} ended at ${lastEnd}`] : [];
    });
}

/** The times at which the weights of the runs exceed a limit. */
function overloads(runs: readonly Run[], limit: number, what: string): string[] {
  return runs.flatMap((run) => {
    const beside = runs.filter(({ began, ended }) => began <= run.began && run.began < ended);
    const weight = beside.reduce((sum, each) => sum + each.weight, 0);
    const jids = beside.map(({ jid }) => jid).join(', ');
    return weight > limit ? [`${what} had ${weight} of ${limit} when job ${run.jid} began: ${jids}`] : [];
  });
}
