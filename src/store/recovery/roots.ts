import { Connection } from '../connection.ts';
import { readTreePage } from './tree-page.ts';
import type { Trees } from './tree-walk.ts';

/** The trees of a queue's database, and how many values their records have. */
export const TREES = {
  jobs: { isTable: true, values: 26 },
  sqlite_sequence: { isTable: true, values: 2 },
  operations: { isTable: true, values: 3 },
  earlier_attempts: { isTable: false, values: 10 },
  attributes: { isTable: false, values: 2 },
  rotations: { isTable: false, values: 5 },
  jobs_claimable: { isTable: false, values: 3 },
  jobs_constrained: { isTable: false, values: 4 },
  jobs_by_state: { isTable: false, values: 2 },
  jobs_by_tag: { isTable: false, values: 2 },
  jobs_finished: { isTable: false, values: 4 },
} as const;
export type TreeName = keyof typeof TREES;

export interface Roots {
  readonly pages: ReadonlyMap<TreeName, number>;
  /** The schema could not be read as a whole: these are looked for where a queue's trees mostly begin. */
  readonly guessed: ReadonlySet<TreeName>;
  /** Tables and indexes that are no queue's. */
  readonly strangers: readonly string[];
}

const SCHEMA_ROOT = 1;
const READ_ROOTS = 'SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0';

/** Where the trees of a file begin: by its schema, else where SQLite puts them when a queue is made or vacuumed. */
export function findRoots(trees: Trees): Roots {
  const pages = new Map<TreeName, number>();
  const strangers: string[] = [];
  const walk = trees.walk(SCHEMA_ROOT);
  for (const page of walk.pages()) {
    for (const { record, isDoubtful } of trees.records(page)) {
      const [type, name, , root, sql] = record.values;
      if (!record.isSound || isDoubtful || typeof name !== 'string' || typeof root !== 'number' || root < 2) continue;
      if (!isTreeName(name)) strangers.push(`${String(type)} ${name}`);
      else if (String(sql).startsWith('CREATE') && mayBegin(trees, name, root)) pages.set(name, root);
    }
  }
  return { pages, guessed: guessRoots(trees, pages), strangers };
}

function isTreeName(name: string): name is TreeName {
  return Object.hasOwn(TREES, name);
}

function guessRoots(trees: Trees, pages: Map<TreeName, number>): Set<TreeName> {
  const guessed = new Set<TreeName>();
  if (pages.size === Object.keys(TREES).length) return guessed;
  const taken = new Set(pages.values());
  for (const layout of usualLayouts()) {
    for (const [name, root] of layout) {
      if (pages.has(name) || taken.has(root) || !mayBegin(trees, name, root)) continue;
      pages.set(name, root);
      taken.add(root);
      guessed.add(name);
    }
  }
  return guessed;
}

/** The roots of a new queue and of one after VACUUM, which puts tables first. */
function usualLayouts(): Map<TreeName, number>[] {
  const connection = Connection.open(':memory:', { create: true, busyMs: 0 });
  try {
    connection.migrate();
    const created = readRoots(connection);
    connection.execute('VACUUM');
    return [created, readRoots(connection)];
  } finally {
    connection.close();
  }
}

function readRoots(connection: Connection): Map<TreeName, number> {
  const rows = connection.all(READ_ROOTS).map((row) => [String(row['name']), Number(row['rootpage'])] as const);
  return new Map(rows.filter((row): row is [TreeName, number] => isTreeName(row[0])));
}

/** Whether a page is of the right kind, and the first record below it that can be read as long as it must be. */
function mayBegin(trees: Trees, name: TreeName, root: number): boolean {
  const { isTable, values } = TREES[name];
  let page = readTreePage(trees.file, root);
  if (page?.isTable !== isTable) return false;
  while (page !== undefined && !page.isLeaf) page = readTreePage(trees.file, page.cells[0]?.child ?? page.right);
  if (page === undefined) return true;
  for (const { record } of trees.records(page)) return record.values.length === values;
  return true;
}
