import { Connection } from '../connection.ts';
import { isDamage, isRefusal } from './copy-rows.ts';
import { quoted } from './source.ts';

/** An AUTOINCREMENT table makes SQLite create `sqlite_sequence`. */
const OWN_TABLES = `CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT);
  CREATE TABLE entries (jid, state)`;
const INDEX = 'CREATE INDEX jobs_by_jid ON jobs (jid)';
const ENTRIES = `INSERT INTO entries SELECT c1, c0 FROM lost_and_found WHERE nfield = 2 AND id IS NULL
  AND c0 IN ('pending', 'holding', 'running', 'finished', 'dead') AND typeof(c1) = 'integer' AND c1 BETWEEN 1 AND 1e12`;
const SEQUENCE = `INSERT INTO sqlite_sequence (name, seq) SELECT c0, c1 FROM lost_and_found
  WHERE nfield = 2 AND id IS NOT NULL AND c0 = 'jobs' AND typeof(c1) = 'integer'`;
const ROOTS = 'SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0';
const STATEMENT = /^(?:INSERT (?:OR IGNORE )?INTO |CREATE TABLE ["']?lost_and_found["']?\()/;

/** The form of a table's rows in `lost_and_found`, where `.recover` puts rows whose table it does not know. */
const LOST = {
  jobs: { hasRowid: true, columns: 26 },
  earlier_attempts: { hasRowid: false, columns: 10 },
  operations: { hasRowid: true, columns: 3 },
  attributes: { hasRowid: false, columns: 2 },
  rotations: { hasRowid: false, columns: 5 },
  arrays: { hasRowid: true, columns: 5 },
} as const;
type Table = keyof typeof LOST;
const TABLES = Object.keys(LOST) as Table[];
/** Tables whose rows are not looked for there: entries of indexes have the same form. */
const OTHER_TABLES = ['gates', 'needs', 'decisions', 'lanes', 'hosts'] as const;

/** A database for the output of `sqlite3 .recover`. Its tables have no types and no constraints. */
export class Scratch {
  private readonly columns = new Map<string, string[]>();
  /** Root pages in a new database. SQLite never moves them, except in VACUUM. */
  private readonly roots: ReadonlyMap<string, number>;

  private constructor(
    private readonly connection: Connection,
    target: Connection,
  ) {
    connection.execute('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
    connection.execute(OWN_TABLES);
    this.roots = new Map(target.all(ROOTS).map((row) => [String(row['name']), Number(row['rootpage'])]));
    for (const table of [...TABLES, ...OTHER_TABLES]) {
      const columns = target.all(`PRAGMA table_info(${table})`).map((column) => String(column['name']));
      this.columns.set(table, columns);
      connection.execute(`CREATE TABLE ${table} (${quoted(columns)})`);
    }
    connection.execute('BEGIN');
  }

  /** `target` is the new database, whose columns the tables get. */
  static create(path: string, target: Connection): Scratch {
    return new Scratch(Connection.open(path, { create: true, busyMs: 0 }), target);
  }

  /** Runs a statement of the output if it adds a row to a known table, and ignores any other. */
  add(statement: string): void {
    if (STATEMENT.test(statement)) this.attempt(statement);
  }

  /**
   * Sorts the rows without a table into the tables. Where the freelist is unknown, rows of deleted jobs are among them:
   * then a page must belong to the tree of its table, or the state index must list the job in the state of the row.
   */
  assignLostRows({ isFreelistKnown }: { readonly isFreelistKnown: boolean }): void {
    const inTree = (name: string): string => (isFreelistKnown ? 'true' : `rootpgno = ${this.roots.get(name) ?? 0}`);
    this.attempt(`${ENTRIES} AND ${inTree('jobs_by_state')}`);
    this.attempt(`${SEQUENCE} AND ${inTree('sqlite_sequence')}`);
    const state = `c${this.columns.get('jobs')?.indexOf('state')}`;
    for (const table of TABLES) this.assign(table, inTree(table));
    if (!isFreelistKnown) {
      const isIndexed = `(id, ${state}) IN (SELECT jid, state FROM entries)`;
      this.assign('jobs', `${isIndexed} AND NOT ${inTree('jobs')} AND id NOT IN (SELECT jid FROM jobs)`);
    }
    this.connection.execute(INDEX);
    this.connection.execute('COMMIT');
  }

  close(): void {
    this.connection.close();
  }

  /** An older schema has fewer columns, but never fewer than version 1 had. New columns are always the last. */
  private assign(table: Table, condition: string): void {
    const { hasRowid, columns: least } = LOST[table];
    const columns = this.columns.get(table) ?? [];
    for (let count = least as number; count <= columns.length; count++) {
      // The first value of a record is NULL where the column is the rowid.
      const values = columns.slice(0, count).map((_, index) => (hasRowid && index === 0 ? 'id' : `c${index}`));
      const types = table === 'attributes' ? "AND typeof(c0) = 'text' AND typeof(c1) = 'text'" : '';
      this.attempt(`INSERT INTO ${table} (${quoted(columns.slice(0, count))}) SELECT ${values.join(', ')}
        FROM lost_and_found WHERE nfield = ${count} AND id IS ${hasRowid ? 'NOT NULL AND c0 IS NULL' : 'NULL'} ${types} AND ${condition}`);
    }
  }

  private attempt(sql: string): void {
    try {
      this.connection.execute(sql);
    } catch (error) {
      // No such table or column, or no SQL at all: the output of a damaged schema.
      if (!isDamage(error) && !isRefusal(error)) throw error;
    }
  }
}
