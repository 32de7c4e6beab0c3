import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { errorCode, RqError } from '../job/errors.ts';
import { DROP_VIEWS, MIGRATIONS, SCHEMA, SCHEMA_VERSION, viewsOfOlder } from './schema.ts';

type Value = string | number | bigint | null | Buffer;
/** Bound parameters: by name, or one value or several in the order of the question marks. */
export type Parameters = Record<string, Value> | readonly Value[];
export type Row = Record<string, Value>;

/** The library's addon: its own search, by `bindings`, opens more files, in each call of rq. */
const ADDON = 'better-sqlite3/build/Release/better_sqlite3.node';
const { resolve } = createRequire(import.meta.url);
const READ_VERSION = 'PRAGMA user_version';

/**
 * One open database. Statements are prepared once; temporary tables stay in memory; the journal is a rollback journal
 * in DELETE mode, SQLite's default, and every commit is synced. Errors are SQLite's own, see `storeError`.
 */
export class Connection {
  private readonly statements = new Map<string, Database.Statement>();
  /** Temporary views may hide tables of an older schema. */
  private hasViews = false;

  private constructor(
    private readonly database: Database.Database,
    readonly path: string,
    readonly isReadOnly: boolean,
  ) {}

  /** Opens an existing database, or makes one with `create`. `busyMs` is how long SQLite waits for a lock. */
  static open(path: string, options: { readOnly?: boolean; create?: boolean; busyMs: number }): Connection {
    const readOnly = options.readOnly === true;
    const database = new Database(path, {
      readonly: readOnly,
      fileMustExist: options.create !== true,
      timeout: options.busyMs,
      nativeBinding: resolve(ADDON),
      ...(process.env['RQ_SQL_DEBUG'] ? { verbose: (sql) => process.stderr.write(`rq: sql: ${String(sql)}\n`) } : {}),
    });
    const connection = new Connection(database, path, readOnly);
    try {
      // None of these changes the file.
      connection.execute('PRAGMA synchronous = FULL');
      connection.execute('PRAGMA temp_store = MEMORY');
      connection.execute('PRAGMA foreign_keys = ON');
      connection.execute('PRAGMA trusted_schema = OFF');
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  /** Runs statements that take no parameters and give no rows. */
  execute(sql: string): void {
    this.database.exec(sql);
  }

  /** Runs one statement; gives the number of rows it changed and the rowid of the last one it inserted. */
  run(sql: string, parameters: Parameters = []): { changes: number; lastRowid: number } {
    const { changes, lastInsertRowid } = this.prepare(sql).run(...bind(parameters));
    return { changes, lastRowid: Number(lastInsertRowid) };
  }

  /** The first row of a statement, or undefined. */
  get(sql: string, parameters: Parameters = []): Row | undefined {
    return this.prepare(sql).get(...bind(parameters)) as Row | undefined;
  }

  /** All rows of a statement. */
  all(sql: string, parameters: Parameters = []): Row[] {
    return this.prepare(sql).all(...bind(parameters)) as Row[];
  }

  /** The rows of a statement one by one; nothing else may be run on the connection until the last one was taken. */
  iterate(sql: string, parameters: Parameters = []): Iterable<Row> {
    return this.prepare(sql).iterate(...bind(parameters)) as Iterable<Row>;
  }

  /** Compiles a statement, or finds it compiled. */
  prepare(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Copies the database into a new file, some pages at a time; a lock is held only while pages are read. Begins anew by
   * itself where another process writes in between. `step` is asked for the number of pages that come next. Throws
   * SQLITE_BUSY where the database is locked for longer than `busyMs` at first.
   */
  async copyTo(path: string, step: (pages: { total: number; remaining: number }) => number): Promise<void> {
    const { totalPages } = await this.database.backup(path, {
      progress: (pages) => step({ total: pages.totalPages, remaining: pages.remainingPages }),
    });
    // The library takes a lock that it could not have for a step, and no pages at all for the end.
    if (totalPages === 0) throw Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });
  }

  /** Adds a function of one argument to the SQL of this connection. */
  defineFunction(name: string, work: (value: unknown) => Value): void {
    this.database.function(name, { deterministic: true }, work);
  }

  /**
   * Attaches a database as `name`, whatever SQLite can read of it: the file may be truncated, and entries of its schema
   * may be invalid. From then on, statements may run while rows are iterated. Throws SQLITE_NOTADB or SQLITE_CORRUPT.
   */
  attachDamaged(path: string, name: string): void {
    this.database.unsafeMode(true);
    this.execute('PRAGMA writable_schema = ON; PRAGMA cell_size_check = ON');
    this.run(`ATTACH ? AS ${name}`, [path]);
    this.get(`SELECT count(*) FROM ${name}.sqlite_schema`);
  }

  get inTransaction(): boolean {
    return this.database.inTransaction;
  }

  /**
   * The schema version of a queue's database. Call it in each transaction: where the version is older, temporary views
   * show its tables with all columns of this rq. Throws QUEUE_VERSION for a newer version, QUEUE_DAMAGED for none.
   */
  version(): number {
    const version = this.storedVersion();
    if (version === 0) {
      throw new RqError(
        'QUEUE_DAMAGED',
        `cannot use ${this.path}: it is not the database of a queue; run: rq ${dirname(this.path)} recover`,
      );
    }
    if (version > SCHEMA_VERSION) {
      throw new RqError(
        'QUEUE_VERSION',
        `cannot use ${this.path}: a newer rq made it (schema ${version}, this rq knows ${SCHEMA_VERSION}); use that rq`,
      );
    }
    if (version < SCHEMA_VERSION || this.hasViews) this.showAsCurrent(version);
    return version;
  }

  /** Creates the schema in a new database, or migrates an older one to it. Call it inside a transaction. */
  migrate(): void {
    const found = this.storedVersion();
    if (found === SCHEMA_VERSION) return;
    if (this.hasViews) this.showAsCurrent(SCHEMA_VERSION);
    for (const sql of found === 0 ? [SCHEMA] : MIGRATIONS.slice(found)) this.execute(sql);
    this.execute(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  }

  /** Makes the temporary views that a database of this version needs. A rollback may have removed earlier ones. */
  private showAsCurrent(version: number): void {
    for (const sql of [...DROP_VIEWS, ...viewsOfOlder(version)]) this.execute(sql);
    this.hasViews = version < SCHEMA_VERSION;
  }

  private storedVersion(): number {
    return Number(this.get(READ_VERSION)?.['user_version']);
  }

  close(): void {
    this.database.close();
  }
}

function bind(parameters: Parameters): unknown[] {
  return Array.isArray(parameters) ? [...parameters] : [parameters];
}

/**
 * Whether an error of a connection's may come of another file in the place of the one that it has open: `recover` spoils
 * the old one's header, and SQLite itself refuses to write to a file that has lost its name.
 */
export function mayBeReplaced(code: string): boolean {
  return code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_READONLY_DBMOVED';
}

/** Turns an error of SQLite's that a user can act on into an RqError; gives any other back as it is. */
export function storeError(error: unknown, path: string): unknown {
  const code = errorCode(error) ?? '';
  const details = { cause: error, facts: { path, sqlite: code } };
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new RqError(
      'QUEUE_DAMAGED',
      `cannot use ${path}: the database is damaged; run: rq ${dirname(path)} recover`,
      details,
    );
  }
  if (code === 'SQLITE_FULL') {
    return new RqError(
      'NO_SPACE',
      `cannot write to ${path}: the disk or your quota is full; make room, try again`,
      details,
    );
  }
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN') || code === 'SQLITE_PERM') {
    return new RqError('NOT_ALLOWED', `cannot write to ${path}: you may not, or it is mounted read-only`, details);
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return new RqError('IO', `cannot read or write ${path}: the file system failed (${code}); try again`, details);
  }
  return error;
}
