import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { type ErrorCode, errorCode, RqError } from '../job/errors.ts';
import {
  CHECKS_VERSION,
  DROP_VIEWS,
  migrationsFrom,
  REDEFINED_TABLE,
  SCHEMA,
  SCHEMA_VERSION,
  viewsOfOlder,
} from './schema.ts';

type Value = string | number | bigint | null | Buffer;
/** Bound parameters: by name, or in the order of the question marks. */
export type Parameters = Record<string, Value> | readonly Value[];
export type Row = Record<string, Value>;

/** The addon of better-sqlite3. The search of the library (`bindings`) would open more files in each call of rq. */
const ADDON = 'better-sqlite3/build/Release/better_sqlite3.node';
const { resolve } = createRequire(import.meta.url);
const READ_VERSION = 'PRAGMA user_version';

/**
 * An open database. Statements are prepared once, temporary tables stay in memory, and every commit is synced. The
 * journal mode is DELETE, the default. Methods throw the errors of SQLite; `storeError` converts them.
 */
export class Connection {
  private readonly statements = new Map<string, Database.Statement>();
  private readonly values = new Map<string, unknown>();
  /** Temporary views may hide tables of an older schema. */
  private hasViews = false;

  private constructor(
    private readonly database: Database.Database,
    readonly path: string,
  ) {}

  /**
   * Opens a database, or creates it with `create`, without reading it: the first transaction finds that it is locked or
   * damaged. SQLite waits for a lock for `busyMs`.
   */
  static open(path: string, options: { readOnly?: boolean; create?: boolean; busyMs: number }): Connection {
    const database = new Database(path, {
      readonly: options.readOnly === true,
      fileMustExist: options.create !== true,
      timeout: options.busyMs,
      nativeBinding: resolve(ADDON),
      ...(process.env['RQ_SQL_DEBUG'] ? { verbose: (sql) => process.stderr.write(`rq: sql: ${String(sql)}\n`) } : {}),
    });
    const connection = new Connection(database, path);
    try {
      // These settings do not read the file. The defaults of better-sqlite3 are `synchronous = FULL`, whose setting would
      // read the schema, and `foreign_keys = ON`.
      connection.execute('PRAGMA temp_store = MEMORY');
      connection.execute('PRAGMA trusted_schema = OFF');
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  /** Runs statements without parameters and rows. */
  execute(sql: string): void {
    this.database.exec(sql);
  }

  /** Runs a statement. Returns the number of changed rows and the rowid of the last inserted row. */
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

  /** The rows of a statement, one at a time. No other statement may run on the connection before the last row is read. */
  iterate(sql: string, parameters: Parameters = []): Iterable<Row> {
    return this.prepare(sql).iterate(...bind(parameters)) as Iterable<Row>;
  }

  /** The value that a stored text means. Each text is parsed once for each connection. */
  parsed<T>(text: string, parse: (text: string) => T): T {
    const value = this.values.get(text) ?? parse(text);
    this.values.set(text, value);
    return value as T;
  }

  /** Compiles a statement, once for each connection. */
  prepare(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Runs a part of a transaction. If a row that rq did not write, or a trigger of a user, makes a statement fail, only this
   * part is undone, and `onFault` is called. Other errors are thrown.
   */
  part(work: () => void, onFault: (error: Error) => void): void {
    this.run('SAVEPOINT part');
    try {
      work();
    } catch (error) {
      // RAISE(ROLLBACK) in a trigger ends the whole transaction.
      if (!this.inTransaction || !isRowFault(error)) throw error;
      this.run('ROLLBACK TO part');
      onFault(error);
    }
    this.run('RELEASE part');
  }

  /**
   * Copies the database into a new file in steps, and holds a lock only during a step. SQLite starts over if another
   * process writes between two steps. `step` returns the number of pages of the next step. Throws SQLITE_BUSY if the
   * first step cannot get the lock within `busyMs`.
   */
  async copyTo(path: string, step: (pages: { total: number; remaining: number }) => number): Promise<void> {
    const { totalPages } = await this.database.backup(path, {
      progress: (pages) => step({ total: pages.totalPages, remaining: pages.remainingPages }),
    });
    // better-sqlite3 counts a step without a lock as a step, and reports 0 pages at the end.
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

  get isReadOnly(): boolean {
    return this.database.readonly;
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
        `cannot use ${this.path}: the file is not the database of a queue; run: rq ${dirname(this.path)} recover`,
      );
    }
    if (version > SCHEMA_VERSION) {
      throw new RqError(
        'QUEUE_VERSION',
        `cannot use ${this.path}: the database requires a newer version of rq (schema ${version}; this version supports ${SCHEMA_VERSION}); upgrade rq`,
      );
    }
    if (version < SCHEMA_VERSION || this.hasViews) this.showAsCurrent(version);
    return version;
  }

  /** As `version`, and throws QUEUE_OUTDATED for an older version: only an upgrade changes such a database. */
  requireCurrent(): void {
    const version = this.version();
    if (version === SCHEMA_VERSION) return;
    const queue = dirname(this.path);
    throw new RqError(
      'QUEUE_OUTDATED',
      `cannot change ${queue}: the database has schema ${version}, and this version of rq changes only schema ${SCHEMA_VERSION}; run: rq ${queue} upgrade`,
    );
  }

  /** Creates the schema in a new database, or migrates an older one to it. Call it inside a transaction. */
  migrate(): void {
    const found = this.storedVersion();
    if (found === SCHEMA_VERSION) return;
    if (this.hasViews) this.showAsCurrent(SCHEMA_VERSION);
    for (const sql of found === 0 ? [SCHEMA] : migrationsFrom(found)) this.execute(sql);
    if (found > 0 && found < CHECKS_VERSION) this.redefineTable(REDEFINED_TABLE);
    this.execute(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  }

  /**
   * Replaces the definition of a table by one with other checks, which ALTER TABLE cannot change. SQLite documents this
   * procedure for changes that do not affect the rows on disk ("Making Other Kinds Of Table Schema Changes").
   */
  private redefineTable({ name, sql }: { name: string; sql: string }): void {
    const cookie = Number(this.get('PRAGMA schema_version')?.['schema_version']);
    this.database.unsafeMode(true);
    this.execute('PRAGMA writable_schema = ON');
    this.run("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", [sql, name]);
    this.execute(`PRAGMA schema_version = ${cookie + 1}; PRAGMA writable_schema = RESET`);
    this.database.unsafeMode(false);
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

function bind(parameters: Parameters): readonly unknown[] {
  return Array.isArray(parameters) ? parameters : [parameters];
}

function isRowFault(error: unknown): error is Error {
  return /^SQLITE_(CONSTRAINT|ERROR|MISMATCH|TOOBIG)/.test(errorCode(error) ?? '');
}

/**
 * Whether the error can mean that another file has replaced the open database. `recover` overwrites the header of the
 * old file, and SQLite refuses to write to a file that was unlinked.
 */
export function mayBeReplaced(code: string): boolean {
  return code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_READONLY_DBMOVED';
}

/** Converts an error of SQLite that a user can act on to an RqError. Returns other errors unchanged. */
export function storeError(error: unknown, path: string): unknown {
  const code = errorCode(error) ?? '';
  const failure = (kind: ErrorCode, message: string): RqError => new RqError(kind, message, { cause: error });
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return failure('QUEUE_DAMAGED', `cannot use ${path}: the database is damaged; run: rq ${dirname(path)} recover`);
  }
  if (code === 'SQLITE_FULL') {
    return failure(
      'NO_SPACE',
      `cannot write to ${path}: the disk or your quota is full; free some space and try again`,
    );
  }
  if (/^SQLITE_(READONLY|CANTOPEN|PERM)/.test(code)) {
    return failure(
      'NOT_ALLOWED',
      `cannot write to ${path}: permission denied, or the file system is read-only; ask the owner of the queue for access`,
    );
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return failure('IO', `cannot read or write ${path}: I/O error (${code}); try again`);
  }
  return error;
}
