export interface Recovery {
  readonly database: string;
  /** What was damaged: `structure` is what holds neither rows nor entries of an index. */
  readonly damage: 'none' | 'indexes' | 'structure' | 'rows';
  /** How many jobs there are now. */
  readonly saved: number;
  /** Jids whose rows could not be read, and jids whose rows may be wrong; neither are there now. */
  readonly lost: readonly number[];
  readonly doubtful: readonly number[];
  /** The damaged file. */
  readonly kept: string | null;
}

/** What one try under the lease came to. */
export type Outcome =
  | { readonly kind: 'done'; readonly recovery: Recovery }
  /** The database knows a higher generation than the lease's. */
  | { readonly kind: 'fenced'; readonly above: number }
  | { readonly kind: 'indexes'; readonly kept: string };

/** Told, line by line, what is found and done. */
export type Say = (line: string) => void;
