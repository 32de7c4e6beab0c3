import type { JobState, StoredField } from './job.ts';

/** Jids from `first` to `last`, both included. */
export interface JidRange {
  readonly first: number;
  readonly last: number;
}

/** Matches a job whose field has this value; with `upTo`, a text from `value` to this one. */
export interface FieldPair {
  readonly field: StoredField;
  readonly value: string | number | null;
  readonly upTo?: string;
}

/**
 * The jobs that a command works on: the jids in `ranges`, the jobs in one of `states`, with `failed` those that failed
 * (`hasFailed`), and with `all` every job. A selected job must match each pair.
 * Pairs alone select from all jobs. An empty selection selects nothing.
 */
export interface Selection {
  readonly all: boolean;
  readonly ranges: readonly JidRange[];
  readonly states: readonly JobState[];
  readonly failed?: boolean;
  readonly pairs: readonly FieldPair[];
}

/** Whether a jid itself is selected, and not only the state or a field of its job. */
export function isSelectedByJid(jid: number, { ranges }: Selection): boolean {
  return ranges.some(({ first, last }) => first <= jid && jid <= last);
}
