import { RqError } from '../../job/errors.ts';
import { hasEnded, type Job } from '../../job/job.ts';
import type { Selection } from '../../job/selection.ts';
import type { Connection } from '../../store/connection.ts';
import { dependentsOf, neededJids } from '../../store/dependencies/dependents.ts';
import { selectPage } from '../../store/selections.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';

const PAGE_JOBS = 2_000;
const MAX_LISTED = 20;

/** Jobs that have not ended, that are to be deleted, and that other jobs may need. */
export class NeededJobs {
  private readonly jids: number[] = [];

  constructor(private readonly connection: Connection) {}

  add(jobs: readonly Job[]): void {
    const open = jobs.filter((job) => !hasEnded(job)).map(({ jid }) => jid);
    if (open.length > 0) this.jids.push(...neededJids(this.connection, open));
  }

  /** Throws JOB_NEEDED if a pending or holding job needs one of them. `deleted` are jobs that are deleted as well. */
  refuse(deleted: ReadonlySet<number> = new Set()): void {
    const needed = new Set<number>();
    const dependents = new Set<number>();
    for (const need of dependentsOf(this.connection, this.jids)) {
      if (deleted.has(need.jid)) continue;
      needed.add(need.needed);
      dependents.add(need.jid);
      if (dependents.size > MAX_LISTED) break;
    }
    if (dependents.size === 0) return;
    throw new RqError(
      'JOB_NEEDED',
      `cannot delete: ${jidList(dependents)} ${dependents.size === 1 ? 'needs' : 'need'} ${jidList(needed)}; nothing was deleted; ` +
        'add --force to delete anyway, which counts as a failure',
    );
  }
}

/** As the refusal of `deleteJobs`, before running jobs of the selection are ended. Takes no lease. */
export async function refuseNeeded(queue: Queue, selection: Selection): Promise<void> {
  await read(queue, (connection) => {
    const needed = new NeededJobs(connection);
    const selected = new Set<number>();
    for (let after = 0; ; ) {
      const jobs = selectPage(connection, selection, { after, limit: PAGE_JOBS });
      const last = jobs.at(-1);
      if (last === undefined) break;
      after = last.jid;
      needed.add(jobs);
      for (const { jid } of jobs) selected.add(jid);
    }
    needed.refuse(selected);
  });
}

function jidList(jids: ReadonlySet<number>): string {
  const listed = [...jids].sort((a, b) => a - b).slice(0, MAX_LISTED);
  return `${jids.size === 1 ? 'job' : 'jobs'} ${listed.join(', ')}${jids.size > MAX_LISTED ? ' and others' : ''}`;
}
