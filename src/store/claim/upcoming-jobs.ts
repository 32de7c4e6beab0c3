import { type Cursor, type Place, precedes, ReadyJobs, type Top } from './ready-jobs.ts';
import type { UnreadyJob } from './unready-jobs.ts';

/** As `ReadyJobs`, with the jobs that the next exchange makes ready before it claims. */
export class UpcomingJobs extends ReadyJobs {
  private readonly added: Top[];
  private readonly opened = new Set<number>();
  /** The jobs of each shape that are not in a cursor yet. */
  private readonly unready: Map<number, Place[]>;

  /** `jobs` are in their order. `isSkipped`: the host could not start the job. */
  constructor(
    jobs: readonly UnreadyJob[],
    isSkipped: (job: UnreadyJob) => boolean,
    ...ready: ConstructorParameters<typeof ReadyJobs>
  ) {
    super(...ready);
    // A skipped job, too, raises the top of its shape.
    this.added = [...jobs];
    this.unready = new Map(jobs.map(({ id }) => [id, []]));
    for (const job of jobs) if (!isSkipped(job)) this.unready.get(job.id)?.push(job);
  }

  protected override nextTop(): Top | undefined {
    let top = super.nextTop();
    while (top !== undefined && this.opened.has(top.id)) {
      this.tops.shift();
      top = super.nextTop();
    }
    while (this.opened.has(this.added[0]?.id ?? 0)) this.added.shift();
    const [added] = this.added;
    if (added === undefined || (top !== undefined && precedes(top, added))) return top;
    this.added.shift();
    this.tops.unshift(added);
    return added;
  }

  protected override open(top: Top): void {
    this.opened.add(top.id);
    super.open(top);
  }

  protected override read(cursor: Cursor): void {
    super.read(cursor);
    const unready = this.unready.get(cursor.id) ?? [];
    const isNext = (job: Place): boolean => cursor.limit === 0 || precedes(job, cursor.last);
    const next = unready.filter(isNext);
    if (next.length === 0) return;
    this.unready.set(
      cursor.id,
      unready.filter((job) => !isNext(job)),
    );
    cursor.jobs = [...cursor.jobs, ...next].sort((a, b) => (precedes(a, b) ? -1 : 1));
  }
}
