import type { Connection, Row } from '../connection.ts';
import type { RecordValue } from './record.ts';
import { type Roots, TREES } from './roots.ts';
import type { Trees } from './tree-walk.ts';

const ROW = 'SELECT jid, state, tag, finished, elapsed, exit_status, priority, runners FROM jobs WHERE jid = ?';
const NEXT_ROWS = `SELECT jid, state, tag, finished, elapsed, exit_status, priority, runners FROM jobs
  WHERE jid > ? ORDER BY jid LIMIT 1000`;

/** What each index must say of a row of `jobs`, without the jid at its end; undefined if nothing. */
const INDEXES = {
  jobs_claimable: (row: Row) =>
    row['state'] === 'pending' && row['runners'] === null ? [row['priority'], row['jid']] : undefined,
  jobs_constrained: (row: Row) =>
    row['state'] === 'pending' && row['runners'] !== null ? [row['runners'], row['priority'], row['jid']] : undefined,
  jobs_by_state: (row: Row) => [row['state']],
  jobs_by_tag: (row: Row) => (row['tag'] === null ? undefined : [row['tag']]),
  jobs_finished: (row: Row) =>
    row['state'] === 'finished' ? [row['finished'], row['elapsed'], row['exit_status']] : undefined,
};
type IndexName = keyof typeof INDEXES;
const NAMES = Object.keys(INDEXES) as IndexName[];

export interface CrossCheck {
  /** Jids of rows that an index does not have, has with other values, or has twice. */
  readonly contradicted: ReadonlySet<number>;
  /** Jids that only indexes know. */
  readonly absent: ReadonlySet<number>;
  /** Jids that an index lacks, which is whole by itself. */
  readonly unindexed: ReadonlySet<number>;
  /** Every jid that there is, is known: the index by states, which has them all, is whole. */
  readonly isComplete: boolean;
  /** No index is damaged by itself. */
  readonly areWhole: boolean;
}

/** Compares the rows of `jobs` behind a connection with the indexes of a file that may be damaged. */
export function crossCheck(connection: Connection, trees: Trees, roots: Roots): CrossCheck {
  const contradicted = new Set<number>();
  const absent = new Set<number>();
  const whole = new Map<IndexName, Set<number>>();
  let areWhole = true;
  for (const name of NAMES) {
    const seen = new Set<number>();
    const isWhole = readIndex(trees, roots, name, (key, jid) => {
      const row = connection.get(ROW, [jid]);
      if (row === undefined) absent.add(jid);
      else if (seen.has(jid) || !isSame(key, INDEXES[name](row))) contradicted.add(jid);
      seen.add(jid);
    });
    if (!isWhole) areWhole = false;
    else if (!roots.guessed.has(name)) whole.set(name, seen);
  }
  const unindexed = new Set<number>();
  for (const row of rowsOf(connection, trees.onPage)) {
    const jid = Number(row['jid']);
    for (const [name, seen] of whole) {
      if (INDEXES[name](row) !== undefined && !seen.has(jid)) unindexed.add(jid);
    }
  }
  return { contradicted, absent, unindexed, isComplete: whole.has('jobs_by_state'), areWhole };
}

/** Reads the entries that can be believed; true if those are all. */
function readIndex(
  trees: Trees,
  roots: Roots,
  name: IndexName,
  onEntry: (key: readonly RecordValue[], jid: number) => void,
): boolean {
  const root = roots.pages.get(name);
  if (root === undefined) return false;
  const walk = trees.walk(root);
  let isWhole = true;
  for (const page of walk.pages()) {
    const entries = [...trees.records(page)];
    const isGood = page.isSound && entries.length === page.cells.length && page.broken.length === 0;
    if (!isGood) isWhole = false;
    for (const { record, isDoubtful } of isGood ? entries : []) {
      const jid = record.values.at(-1);
      const isEntry = record.isSound && !isDoubtful && record.values.length === TREES[name].values;
      if (isEntry && typeof jid === 'number' && jid > 0) onEntry(record.values.slice(0, -1), jid);
      else isWhole = false;
    }
  }
  return isWhole && walk.isWhole;
}

function isSame(key: readonly RecordValue[], expected: readonly unknown[] | undefined): boolean {
  return expected?.length === key.length && key.every((value, index) => value === expected[index]);
}

function* rowsOf(connection: Connection, onPage: () => void): Generator<Row> {
  let after = 0;
  for (;;) {
    const rows = connection.all(NEXT_ROWS, [after]);
    yield* rows;
    onPage();
    if (rows.length === 0) return;
    after = Number(rows.at(-1)?.['jid']);
  }
}
