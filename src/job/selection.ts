import type { JobField, JobState } from './job.ts';

/** Jids from `first` to `last`, both included. */
export interface JidRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Which jobs a mode is about: any jid in `ranges`, any job in one of `states`, any that failed if `failed` (dead, ended
 * by a signal, or with an exit status other than 0), every job if `all`; of these, the ones whose fields equal every
 * pair. Pairs alone select from all jobs; an empty selection selects nothing.
 */
export interface Selection {
  readonly all: boolean;
  readonly ranges: readonly JidRange[];
  readonly states: readonly JobState[];
  readonly failed?: boolean;
  readonly pairs: readonly { readonly field: JobField; readonly value: string | number | null }[];
}

/** Whether a job was named by its jid, and not only meant by what it is like. */
export function isSelectedByJid(jid: number, { ranges }: Selection): boolean {
  return ranges.some(({ first, last }) => first <= jid && jid <= last);
}
