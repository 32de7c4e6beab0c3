import type { JobState } from '../../job/job.ts';

/** Rolls a transaction back, because the states of these jobs prevent the change. */
export class RefusedJobs extends Error {
  readonly jobs: ReadonlyMap<JobState, readonly number[]>;

  constructor(jobs: ReadonlyMap<JobState, readonly number[]>) {
    super('selected jobs are in another state');
    this.jobs = jobs;
  }
}
