import { type DependencyEnd, type DependencyKind, isMet, unmetReason } from '../../src/job/placement/dependencies.ts';

type State = 'pending' | 'holding' | 'running' | 'finished' | 'dead';

export interface Need {
  readonly jid: number;
  readonly kind: DependencyKind;
}

/** A job of the model. Each has dependencies of its own. */
export interface ModelJob {
  readonly jid: number;
  state: State;
  isOk: boolean;
  isLost: boolean;
  /** Not all of its dependencies are met. */
  isGated: boolean;
  needs: Need[];
  /** The dependency that can no longer be met. */
  failedNeed: Need | undefined;
  /** Only a resubmit with dependents revives it. */
  isFinal: boolean;
  /** It is dead because of `failedNeed`. */
  hasDied: boolean;
}

/** Jobs with dependencies, which are decided at once and completely whenever a job ends. */
export class DependencyModel {
  readonly jobs = new Map<number, ModelJob>();

  get(jid: number): ModelJob {
    const job = this.jobs.get(jid);
    if (job === undefined) throw new Error(`the model has no job ${jid}`);
    return job;
  }

  add(jid: number, needs: readonly Need[], state: 'pending' | 'holding'): void {
    const fresh = { isOk: false, isLost: false, isGated: false, failedNeed: undefined, isFinal: false, hasDied: false };
    this.jobs.set(jid, { jid, state, needs: [], ...fresh });
    this.setNeeds(jid, needs);
  }

  /** Replaces the dependencies of a waiting job. */
  setNeeds(jid: number, needs: readonly Need[]): void {
    const job = this.get(jid);
    job.needs = distinct(needs);
    job.isGated = true;
    this.decide(job);
  }

  /** A running job ends, or the real end of a lost job becomes known. */
  end(jid: number, isOk: boolean): void {
    Object.assign(this.get(jid), { state: 'finished', isOk, isLost: false });
    this.propagate(jid, isOk ? 'ok' : 'failed');
  }

  /** A running job is lost, or a waiting one is killed. */
  die(jid: number, isLost: boolean): void {
    Object.assign(this.get(jid), { state: 'dead', isLost });
    this.propagate(jid, 'failed');
  }

  /** A lost job never began, so that it waits again. */
  undo(jid: number): void {
    Object.assign(this.get(jid), { state: 'pending', isLost: false });
    this.revive(jid, false);
  }

  /**
   * Whether a job may be dead of `jid`: of several dependencies that cannot be met, the first one that was decided. If so,
   * the model follows.
   */
  mayDieOf(job: ModelJob, jid: number): boolean {
    if (job.failedNeed?.jid === jid) return true;
    const other = job.needs.find((need) => need.jid === jid && this.endOf(jid) !== undefined);
    if (job.isFinal || job.failedNeed === undefined || other === undefined) return false;
    job.failedNeed = other;
    return true;
  }

  delete(jid: number): void {
    const { state } = this.get(jid);
    this.jobs.delete(jid);
    if (state !== 'finished' && state !== 'dead') this.propagate(jid, 'deleted');
  }

  /** Requeues ended jobs, by ascending jid. */
  resubmit(jids: readonly number[], withDependents: boolean): void {
    const requeued = jids.map((jid) => this.get(jid));
    for (const job of requeued) {
      Object.assign(job, { state: 'pending', isLost: false, hasDied: false });
      if (job.failedNeed !== undefined) this.decide(job, false);
    }
    for (const { jid } of requeued) {
      if (withDependents) this.revive(jid, true);
      else for (const job of this.jobsThatFailedBy(jid)) job.isFinal = true;
    }
    for (const job of requeued) this.apply(job);
  }

  private propagate(jid: number, end: DependencyEnd): void {
    for (const job of [...this.jobs.values()]) {
      for (const need of job.needs.filter((each) => each.jid === jid)) this.decideNeed(job, need, end);
    }
  }

  private decideNeed(job: ModelJob, need: Need, end: DependencyEnd): void {
    if (!job.needs.includes(need)) return;
    if (!isMet(need.kind, end)) {
      if (job.failedNeed !== undefined) return;
      job.failedNeed = need;
      this.apply(job);
    } else if (job.failedNeed?.jid !== need.jid) {
      job.needs = job.needs.filter((each) => each !== need);
      this.openIfMet(job);
    } else if (!job.isFinal) {
      this.decide(job);
    }
  }

  /** Decides a job by the present states of the jobs that it needs. */
  private decide(job: ModelJob, isApplied = true): void {
    job.needs = job.needs.filter(({ jid, kind }) => {
      const end = this.endOf(jid);
      return end === undefined || !isMet(kind, end);
    });
    job.failedNeed = job.needs.find(({ jid }) => this.endOf(jid) !== undefined);
    job.isFinal = false;
    if (isApplied) this.apply(job);
  }

  /** Changes the state of a job as its dependencies demand. */
  private apply(job: ModelJob): void {
    if (job.failedNeed === undefined) {
      const wasDead = job.hasDied;
      if (wasDead) Object.assign(job, { state: 'pending', hasDied: false });
      this.openIfMet(job);
      if (wasDead) this.revive(job.jid, false);
    } else if (job.state === 'pending' || job.state === 'holding') {
      Object.assign(job, { state: 'dead', hasDied: true });
      this.propagate(job.jid, 'failed');
    }
  }

  private openIfMet(job: ModelJob): void {
    if (job.needs.length === 0) job.isGated = false;
  }

  /** The job has not ended after all, so that those that died of it may wait for it. */
  private revive(jid: number, evenFinal: boolean): void {
    for (const job of this.jobsThatFailedBy(jid)) {
      if (!job.isFinal || evenFinal) {
        job.isFinal = false;
        this.decide(job);
        if (evenFinal && job.state === 'pending') this.revive(job.jid, true);
      }
    }
  }

  private jobsThatFailedBy(jid: number): ModelJob[] {
    return [...this.jobs.values()].filter(({ failedNeed }) => failedNeed?.jid === jid);
  }

  private endOf(jid: number): DependencyEnd | undefined {
    const job = this.jobs.get(jid);
    if (job === undefined) return 'deleted';
    if (job.state !== 'finished' && job.state !== 'dead') return undefined;
    return job.state === 'finished' && job.isOk ? 'ok' : 'failed';
  }
}

/** Whether a reason is one that the model allows for a job that died. */
export function isReasonOf({ kind, jid }: Need, reason: unknown): boolean {
  return (['ok', 'failed', 'deleted'] as const).some(
    (end) => !isMet(kind, end) && unmetReason(kind, jid, end) === reason,
  );
}

function distinct(needs: readonly Need[]): Need[] {
  return [...new Map(needs.map((need) => [`${need.jid} ${need.kind}`, need])).values()];
}
