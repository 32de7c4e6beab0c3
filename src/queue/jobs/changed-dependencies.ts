import type { Job } from '../../job/job.ts';
import { setGate } from '../../store/dependencies/gates.ts';
import { Requeue, type RevivedJob } from '../../store/dependencies/requeue.ts';
import { DependencyResolver } from '../../store/dependencies/resolver.ts';
import { workOffDecisions } from '../../store/dependencies/work-off.ts';
import type { Queue } from '../open.ts';
import type { Transaction } from '../transaction/transaction.ts';
import type { JobChange } from './job-change.ts';

/** The dependencies of the jobs that a transaction updates or requeues. */
export class ChangedDependencies {
  private readonly resolver: DependencyResolver;
  private readonly requeue: Requeue | undefined;
  private readonly now: string;

  constructor(
    private readonly run: Transaction,
    private readonly change: JobChange,
    { directory, clock }: Pick<Queue, 'directory' | 'clock'>,
    kind: 'update' | 'resubmit',
  ) {
    const { connection } = run;
    this.now = clock.now();
    this.resolver = new DependencyResolver(connection, { action: `cannot ${kind}`, directory });
    this.requeue =
      kind === 'resubmit' ? new Requeue(connection, { now: this.now, refresh: () => run.refresh() }) : undefined;
  }

  /** Call it for each changed job, by ascending jid. */
  add(job: Job): void {
    const { change, requeue, resolver, run } = this;
    requeue?.add(job.jid, change.after !== undefined);
    if (change.after !== undefined) setGate(run.connection, job.jid, resolver.gateOf(change.after, job));
  }

  /** Returns the dependents that were revived. */
  finish(): RevivedJob[] {
    const { change, requeue, resolver, run } = this;
    resolver.finish();
    if (change.withDependents !== true) requeue?.leaveDependents();
    const revived = change.withDependents === true ? (requeue?.reviveDependents() ?? []) : [];
    workOffDecisions(run.connection, this.now);
    return revived;
  }
}
