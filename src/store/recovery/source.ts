import { COLUMN_NAMES, columnOf } from '../../job/columns.ts';
import type { Connection } from '../connection.ts';
import { MAX_GENERATION } from '../operations.ts';
import { SCHEMA_VERSION } from '../schema.ts';
import { copyEach, copyRange, isDamage, isRefusal, type NotCopied, readFromBothEnds } from './copy-rows.ts';
import { soundRows } from './sound-rows.ts';

/** Schema names of the attached databases. */
export type SourceName = 'damaged' | 'scratch';
type KeyedTable = 'jobs' | 'earlier_attempts' | 'operations';
type SmallTable = keyof typeof ORDERS;

const KEYS = { jobs: 'jid', earlier_attempts: 'jid', operations: 'generation' };
/** The primary keys of the tables that are read from both ends. */
const ORDERS = {
  attributes: ['name'],
  rotations: ['id'],
  arrays: ['array'],
  gates: ['gate'],
  needs: ['jid', 'gate', 'kind'],
  decisions: ['jid'],
  lanes: ['name'],
  hosts: ['host'],
} as const;
const LATEST_ATTEMPT = 'SELECT attempt FROM main.jobs WHERE jid = ?';
/** `.recover` fills an overflow chain that is broken with zeros, so rows that SQL cannot read are not taken from it. */
const NEW_JOBS = `AND jid NOT IN (SELECT jid FROM main.jobs) AND jid NOT IN (SELECT jid FROM temp.doubtful)
  AND jid NOT IN (SELECT jid FROM temp.unreadable)`;
const MAX_JID = 1e12;
/** Columns of jobs that an older schema lacks, with their values there. */
const OF_OLDER = new Map(
  COLUMN_NAMES.flatMap((name): [string, string][] => {
    const { ofOlder } = columnOf[name];
    return ofOlder === undefined ? [] : [[name, ofOlder]];
  }),
);

/** The table `shapes` is not copied. Exchanges determine the shape of each job again. */
const NOT_COPIED = new Set(['shape']);

/** An attached database whose rows are copied into the new one, which is `main`. */
export class Source {
  constructor(
    private readonly connection: Connection,
    private readonly name: SourceName,
    private readonly refresh: () => void,
  ) {}

  /** Copies the rows with keys from `low` to `high` that `main` does not have. Undefined if the table is missing. */
  copy(table: KeyedTable, low: number, high: number): NotCopied | undefined {
    const columns = this.commonColumns(table);
    if (columns === undefined) return undefined;
    const key = KEYS[table];
    const insert = this.insertSql(table, columns);
    const condition = this.condition(table);
    return copyRange(this.connection, {
      copy: `${insert} BETWEEN ? AND ? ${condition}`,
      copyOne: (value) => {
        if (table === 'earlier_attempts') this.copyAttempts(`${insert} = ? AND attempt = ? ${condition}`, value);
        else this.connection.run(`${insert} = ? ${condition}`, [value]);
      },
      next: `SELECT ${key} AS key FROM ${this.name}.${table} WHERE ${key} >= ? ORDER BY ${key} LIMIT 1`,
      low,
      high,
      refresh: this.refresh,
    });
  }

  /** Copies these jobs one by one. */
  copyJobs(jids: Iterable<number>): NotCopied {
    const insert = this.insertSql('jobs', this.commonColumns('jobs') ?? []);
    const copyOne = (jid: number): void => void this.connection.run(`${insert} = ? ${this.condition('jobs')}`, [jid]);
    return copyEach(jids, copyOne, this.refresh);
  }

  /** `INSERT … SELECT … WHERE key`, to be completed by a condition on the key. */
  private insertSql(table: KeyedTable, columns: readonly string[]): string {
    // NULL violates a constraint of `state`, so that an invalid row is refused.
    const values = columns.map((column) => {
      if (column === 'state') return `iif(${soundRows(this.connection, columns)}, state, NULL)`;
      // In the scratch database, rows of an older schema have NULL here.
      return OF_OLDER.has(column) ? `coalesce(${column}, ${OF_OLDER.get(column)})` : `"${column}"`;
    });
    const added = table === 'jobs' ? [...OF_OLDER].filter(([column]) => !columns.includes(column)) : [];
    const targets = [...columns, ...added.map(([column]) => column)];
    return `INSERT INTO main.${table} (${quoted(targets)})
      SELECT ${[...values, ...added.map(([, value]) => value)].join(', ')} FROM ${this.name}.${table} WHERE ${KEYS[table]}`;
  }

  /** Copies as many earlier attempts of a job as it can have, up to the first that cannot be copied. */
  private copyAttempts(copy: string, jid: number): void {
    const latest = Number(this.connection.get(LATEST_ATTEMPT, [jid])?.['attempt'] ?? 0);
    for (let attempt = 1; attempt < latest; attempt++) this.connection.run(copy, [jid, attempt]);
  }

  /** Copies all rows that can be read from either end of a table. True if all rows were copied. */
  copySmall(table: SmallTable): boolean {
    const columns = this.commonColumns(table);
    if (columns === undefined) return false;
    const insert = `INSERT OR IGNORE INTO main.${table} (${quoted(columns)})
      VALUES (${columns.map((column) => `:${column}`).join(', ')})`;
    const order = (direction: string): string => ORDERS[table].map((name) => `${name} ${direction}`).join(', ');
    const select = `SELECT ${quoted(columns)} FROM ${this.name}.${table} ORDER BY`;
    const queries = { ascending: `${select} ${order('ASC')}`, descending: `${select} ${order('DESC')}` };
    let areAccepted = true;
    const isRead = readFromBothEnds(this.connection, queries, (row) => {
      if (!this.tryInsert(insert, row)) areAccepted = false;
      this.refresh();
    });
    return isRead && areAccepted;
  }

  /** The highest jid ever given, as AUTOINCREMENT recorded it. Undefined if it cannot be read. */
  sequence(): number | undefined {
    const rows = this.try(() => this.connection.all(`SELECT name, seq FROM ${this.name}.sqlite_sequence`));
    if (rows === undefined) return undefined;
    const sequences = rows.filter(({ name }) => name === 'jobs').map(({ seq }) => seq);
    // AUTOINCREMENT adds the row with the first job.
    if (rows.length === 0 && this.name === 'damaged') return 0;
    const valid = sequences.filter((seq): seq is number => Number.isSafeInteger(seq) && Number(seq) <= MAX_JID);
    return valid.length === 0 ? undefined : Math.max(...valid);
  }

  /** The highest generation that wrote. Undefined if it cannot be read. */
  fence(): number | undefined {
    const sql = `SELECT max(generation) AS fence FROM ${this.name}.operations WHERE generation <= ${MAX_GENERATION}`;
    const fence = this.try(() => this.connection.get(sql)?.['fence']);
    return typeof fence === 'number' ? fence : undefined;
  }

  /** The highest jid that a scan from either end of `jobs` reaches. */
  highestJid(): number {
    let highest = 0;
    const select = `SELECT jid FROM ${this.name}.jobs WHERE jid BETWEEN 1 AND ${MAX_JID} ORDER BY jid`;
    const max = this.try(() => this.connection.get(`${select} DESC LIMIT 1`)?.['jid']);
    if (typeof max === 'number') return max;
    readFromBothEnds(this.connection, { ascending: select, descending: `${select} DESC` }, ({ jid }) => {
      highest = Math.max(highest, Number(jid));
    });
    return highest;
  }

  /** Whether `jobs` has a row of this jid, even if its contents cannot be read. */
  hasJob(jid: number): boolean {
    return this.try(() => this.connection.get(`SELECT 1 FROM ${this.name}.jobs WHERE jid = ?`, [jid])) !== undefined;
  }

  /** Reads the state index: the jids that exist, with their states. True if the whole index was read. */
  readStates(onEntry: (jid: number, state: string) => void): boolean {
    const select = `SELECT jid, state FROM ${this.name}.jobs INDEXED BY jobs_by_state ORDER BY state`;
    const queries = { ascending: `${select}, jid`, descending: `${select} DESC, jid DESC` };
    return readFromBothEnds(this.connection, queries, ({ jid, state }) => {
      if (typeof jid === 'number' && jid > 0 && jid <= MAX_JID) onEntry(jid, String(state));
    });
  }

  /** Whether every index of `jobs` can be read to its end. */
  areIndexesReadable(): boolean {
    const indexes = this.connection.all(
      "SELECT name, sql FROM main.sqlite_schema WHERE type = 'index' AND tbl_name = 'jobs' AND sql NOT NULL",
    );
    return indexes.every(({ name, sql }) => {
      const where = /\bWHERE\b.*$/s.exec(String(sql))?.[0] ?? '';
      const count = `SELECT count(*) FROM ${this.name}.jobs INDEXED BY ${String(name)} ${where}`;
      return this.try(() => this.connection.get(count)) !== undefined;
    });
  }

  /** Tables, indexes, views and triggers that are not rq's. */
  foreignObjects(): string[] {
    const sql = `SELECT type || ' ' || name AS object FROM ${this.name}.sqlite_schema
      WHERE name NOT IN (SELECT name FROM main.sqlite_schema) AND name NOT LIKE 'sqlite_%' ORDER BY name`;
    return (this.try(() => this.connection.all(sql)) ?? []).map((row) => String(row['object']));
  }

  /** Whether a missing table was added to the schema after the version of this database. */
  isOlder(): boolean {
    const version = this.try(() => this.connection.get(`PRAGMA ${this.name}.user_version`)?.['user_version']);
    return typeof version === 'number' && version > 0 && version < SCHEMA_VERSION;
  }

  private condition(table: KeyedTable): string {
    if (this.name === 'damaged') return '';
    if (table === 'jobs') return NEW_JOBS;
    const key = table === 'operations' ? 'generation' : '(jid, attempt)';
    return `AND ${key} NOT IN (SELECT ${key.replace(/[()]/g, '')} FROM main.${table})`;
  }

  private commonColumns(table: KeyedTable | SmallTable): string[] | undefined {
    const columnsOf = (name: string): string[] =>
      this.connection.all(`PRAGMA ${name}.table_info(${table})`).map((column) => String(column['name']));
    const theirs = this.try(() => columnsOf(this.name)) ?? [];
    return theirs.length === 0
      ? undefined
      : columnsOf('main').filter((column) => theirs.includes(column) && !NOT_COPIED.has(column));
  }

  private tryInsert(sql: string, row: Record<string, unknown>): boolean {
    try {
      this.connection.run(sql, row as Parameters<Connection['run']>[1]);
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return false;
    }
  }

  private try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }
}

/** A list of columns, of which some are reserved words. */
export function quoted(columns: readonly string[]): string {
  return columns.map((column) => `"${column}"`).join(', ');
}
