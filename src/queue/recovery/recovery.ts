export interface Recovery {
  readonly database: string;
  /** The worst damage. `structure`: neither rows nor entries of indexes, for example the freelist. */
  readonly damage: 'none' | 'indexes' | 'structure' | 'rows';
  /** Number of jobs after the recovery. */
  readonly saved: number;
  /** Jids of jobs whose rows cannot be read. */
  readonly lost: readonly number[];
  /** Jids of jobs whose rows can be read and are invalid. They are not saved. */
  readonly doubtful: readonly number[];
  /** Path of the copy of the damaged file. */
  readonly kept: string | null;
}

/** Called with one line of progress. */
export type OnProgress = (line: string) => void;
