import type { Connection } from '../connection.ts';
import { type CrossCheck, crossCheck } from './cross-check.ts';
import { findRoots, type Roots, TREES } from './roots.ts';
import { isAccepted } from './row-checks.ts';
import { JobSalvage } from './salvage-jobs.ts';
import { restoreSequence } from './salvage-sequence.ts';
import type { FoundRecord, Trees } from './tree-walk.ts';

const INSERT_ATTEMPT = `INSERT INTO earlier_attempts (jid, attempt, runner, pid, started, finished, elapsed, exit_status,
  signal, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_ATTRIBUTE = 'INSERT INTO attributes (name, value) VALUES (?, ?)';
const INSERT_OPERATION = 'INSERT INTO operations (generation, operation, committed) VALUES (?, ?, ?)';
const INSERT_ROTATION = 'INSERT INTO rotations (id, partial, path, files, committed) VALUES (?, ?, ?, ?, ?)';
const COUNT = 'SELECT count(*) AS jobs FROM jobs';

/** The names of leases have at most 15 digits. */
const HIGHEST_GENERATION = 10 ** 14;

export interface Salvaged {
  /** How many jobs. */
  readonly saved: number;
  /** Jids of rows that could be read and may be wrong; they are not saved. */
  readonly doubtful: ReadonlySet<number>;
  /** Jids that are known and whose rows cannot be read. */
  readonly lost: ReadonlySet<number>;
  /** Every jid that there was is known. */
  readonly isComplete: boolean;
  /** The tables themselves were whole. */
  readonly areTablesWhole: boolean;
  readonly areIndexesWhole: boolean;
  /** There was no table of jobs that could be found. */
  readonly isHopeless: boolean;
  /** Tables and indexes that are no queue's, which are not saved. */
  readonly strangers: readonly string[];
}

/**
 * Copies what can be believed of a damaged file into a new, empty queue's database, in the transaction that is open
 * there. `jidsOfFiles` are jids that the queue's directories name.
 */
export function salvage(trees: Trees, target: Connection, jidsOfFiles: ReadonlySet<number>): Salvaged {
  const roots = findRoots(trees);
  const areOthersWhole = [
    saveRows(trees, roots, 'operations', ({ rowid, record }) => {
      const [, operation, committed] = record.values;
      // What is no generation would be the fence from now on.
      if (rowid > HIGHEST_GENERATION) return;
      target.run(INSERT_OPERATION, [rowid, operation ?? null, committed ?? null]);
    }),
    saveRows(trees, roots, 'rotations', ({ record }) => void target.run(INSERT_ROTATION, record.values)),
    saveRows(trees, roots, 'attributes', ({ record }) => void target.run(INSERT_ATTRIBUTE, record.values)),
  ];
  const sequence = readSequence(trees, roots);
  const jobs = new JobSalvage(trees, target);
  jobs.save(roots.pages.get('jobs'));
  areOthersWhole.push(
    saveRows(trees, roots, 'earlier_attempts', ({ record }) => void target.run(INSERT_ATTEMPT, record.values)),
  );
  const check = crossCheck(target, trees, roots);
  for (const jid of [...check.contradicted, ...check.unindexed]) jobs.doubt(jid);
  const lost = lostJids(jobs, check, jidsOfFiles);
  const saved = Number(target.get(COUNT)?.['jobs']);
  restoreSequence(trees, target, { sequence, known: [lost, jobs.doubtful, jidsOfFiles] });
  return {
    saved,
    doubtful: jobs.doubtful,
    lost,
    isComplete: check.isComplete || jobs.isWhole,
    areTablesWhole: jobs.isWhole && areOthersWhole.every(Boolean),
    areIndexesWhole: check.areWhole,
    isHopeless: !jobs.isWhole && saved === 0,
    strangers: roots.strangers,
  };
}

function lostJids(jobs: JobSalvage, check: CrossCheck, jidsOfFiles: ReadonlySet<number>): Set<number> {
  const lost = new Set([...check.absent].filter((jid) => !jobs.doubtful.has(jid)));
  // Files that nobody owns are left by submits that were killed, too: they count where nothing better is known.
  if (check.isComplete || jobs.isWhole) return lost;
  for (const jid of jidsOfFiles) if (!jobs.doubtful.has(jid) && !jobs.has(jid)) lost.add(jid);
  return lost;
}

type OtherTable = 'operations' | 'attributes' | 'rotations' | 'earlier_attempts';

/** Saves the rows of one of the other tables; true if all of it could be read. Rows that the schema refuses are left. */
function saveRows(trees: Trees, roots: Roots, name: OtherTable, save: (found: FoundRecord) => void): boolean {
  const root = roots.pages.get(name);
  if (root === undefined) return false;
  const { values, isTable } = TREES[name];
  let isWhole = true;
  const consider = (found: FoundRecord): void => {
    const isGood = found.record.isSound && !found.isDoubtful && found.record.values.length === values;
    if (!isGood || !isAccepted(() => save(found))) isWhole = false;
  };
  const walk = trees.walk(root);
  for (const page of walk.pages()) for (const found of trees.records(page)) consider(found);
  if (walk.isWhole) return isWhole;
  // Only attempts are so many that a page of them can be orphaned.
  if (name !== 'earlier_attempts') return false;
  for (const page of trees.orphans(isTable)) {
    for (const found of trees.records(page)) if (found.record.values.length === values) consider(found);
  }
  return false;
}

/** The highest jid that was ever given, if the table that remembers it can be read. */
function readSequence(trees: Trees, roots: Roots): number | undefined {
  const root = roots.pages.get('sqlite_sequence');
  if (root === undefined) return undefined;
  const walk = trees.walk(root);
  let sequence: number | undefined;
  let isEmpty = true;
  for (const page of walk.pages()) {
    for (const { record, isDoubtful } of trees.records(page)) {
      isEmpty = false;
      const [name, value] = record.values;
      if (record.isSound && !isDoubtful && name === 'jobs' && typeof value === 'number') sequence = value;
    }
  }
  if (!walk.isWhole || roots.guessed.has('sqlite_sequence')) return undefined;
  return isEmpty ? 0 : sequence;
}
