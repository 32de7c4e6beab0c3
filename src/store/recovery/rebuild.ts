import { RqError } from '../../job/errors.ts';
import { MAX_JOBS } from '../../job/limits.ts';
import type { Connection } from '../connection.ts';
import { replaceControlVersion } from '../control/wishes.ts';
import { SCHEMA_VERSION } from '../schema.ts';
import { countJobs } from '../submissions.ts';
import { areAllCopied, isDamage } from './copy-rows.ts';
import { repairGates } from './gates.ts';
import { Source, type SourceName } from './source.ts';

const TEMPORARY = `CREATE TEMP TABLE entries (jid INTEGER PRIMARY KEY, state TEXT);
  CREATE TEMP TABLE doubtful (jid INTEGER PRIMARY KEY);
  CREATE TEMP TABLE unreadable (jid INTEGER PRIMARY KEY)`;
const ADD_ENTRY = 'INSERT OR IGNORE INTO temp.entries VALUES (?, ?)';
const ADD_SCRATCH_ENTRIES = 'INSERT OR IGNORE INTO temp.entries SELECT jid, state FROM scratch.entries';
const ADD_DOUBTFUL = 'INSERT OR IGNORE INTO temp.doubtful VALUES (?)';
const ADD_UNREADABLE = 'INSERT OR IGNORE INTO temp.unreadable VALUES (?)';
const DOUBT_CONTRADICTED = `INSERT OR IGNORE INTO temp.doubtful
  SELECT job.jid FROM main.jobs AS job JOIN temp.entries AS entry USING (jid) WHERE job.state <> entry.state`;
const DOUBT_UNINDEXED = `INSERT OR IGNORE INTO temp.doubtful
  SELECT jid FROM main.jobs WHERE jid NOT IN (SELECT jid FROM temp.entries)`;
const DELETE_DOUBTFUL = 'DELETE FROM main.jobs WHERE jid IN (SELECT jid FROM temp.doubtful)';
const DOUBTFUL = 'SELECT jid FROM temp.doubtful';
const UNREADABLE = 'SELECT jid FROM temp.unreadable';
const ABSENT = 'SELECT jid FROM temp.entries WHERE jid NOT IN (SELECT jid FROM main.jobs)';
const HAS_JOB = 'SELECT 1 FROM main.jobs WHERE jid = ?';
const HIGHEST_ENTRY = 'SELECT coalesce(max(jid), 0) AS jid FROM temp.entries';
const HIGHEST = 'SELECT coalesce(max(jid), 0) AS jid FROM main.jobs';
const FORGET = "DELETE FROM main.sqlite_sequence WHERE name = 'jobs'";
const REMEMBER = "INSERT INTO main.sqlite_sequence (name, seq) VALUES ('jobs', ?)";
/** Jids skipped where the highest jid ever given is unknown. */
const SKIPPED = 1_000;
/** `operations` keeps at least 10,000 generations. */
const KEPT_GENERATIONS = 20_000;

export interface Rebuilt {
  /** Number of jobs in the new database. */
  readonly saved: number;
  /** Number of jobs whose dependencies could not be read, so that no host claims them. */
  readonly blocked: number;
  /** Jids of rows that are invalid or contradict an index; they are not saved. */
  readonly doubtful: ReadonlySet<number>;
  /** Jids of jobs that are known to exist and whose rows cannot be read. */
  readonly lost: ReadonlySet<number>;
  /** `lost` names every job that is lost. */
  readonly isComplete: boolean;
  /** All rows of all tables were copied. */
  readonly areTablesWhole: boolean;
  readonly areIndexesReadable: boolean;
  /** No row of `jobs` could be read. */
  readonly isHopeless: boolean;
  /** Tables, indexes, views and triggers that are not rq's; they are not saved. */
  readonly foreign: readonly string[];
  /** The damaged database had the schema of an older rq. */
  readonly wasOlder: boolean;
}

interface Options {
  /** Jids of files in the queue. */
  readonly jidsOfFiles: ReadonlySet<number>;
  /** The generation of the lease. */
  readonly generation: number;
  readonly refresh: () => void;
}

/** Fills a new database with the rows of a damaged one. */
export class Rebuild {
  private readonly sequences: (number | undefined)[] = [];
  private isOpen = false;
  private areIndexesReadable = false;
  private isJobsWhole = false;
  private areOthersWhole = false;
  private areGatesWhole = false;
  private isIndexWhole = false;
  private foreign: readonly string[] = [];
  private wasOlder = false;

  constructor(
    private readonly target: Connection,
    private readonly options: Options,
  ) {
    target.execute(TEMPORARY);
  }

  get isWhole(): boolean {
    return this.isJobsWhole && this.areOthersWhole;
  }

  /** SQLite can read the header of the damaged file, and so `.recover` knows the pages of deleted rows. */
  get isFreelistKnown(): boolean {
    return this.isOpen;
  }

  /** Copies the rows that SQL can read from the damaged file. Throws QUEUE_VERSION. */
  addDamaged(path: string): void {
    const source = this.attach(path, 'damaged');
    if (source === undefined) return;
    this.isOpen = true;
    this.refuseNewer();
    this.wasOlder = source.isOlder();
    this.foreign = source.foreignObjects();
    this.areIndexesReadable = source.areIndexesReadable();
    this.isIndexWhole = source.readStates((jid, state) => void this.target.run(ADD_ENTRY, [jid, state]));
    this.sequences.push(source.sequence());
    this.isJobsWhole = this.copyJobs(source);
    this.areGatesWhole = this.copyGates(source);
    const areOthersWhole = this.copyOthers(source);
    this.areOthersWhole = this.areGatesWhole && areOthersWhole && this.sequences[0] !== undefined;
  }

  /** Adds rows that `sqlite3 .recover` read. Rows that are there already have precedence. */
  addScratch(path: string): void {
    const source = this.attach(path, 'scratch');
    if (source === undefined) return;
    this.sequences.push(source.sequence());
    if (!this.isIndexWhole) this.target.execute(ADD_SCRATCH_ENTRIES);
    this.copyJobs(source);
    this.copyGates(source);
    this.copyOthers(source);
  }

  finish(): Rebuilt {
    const { target } = this;
    target.execute(DOUBT_CONTRADICTED);
    // An index that lacks entries proves nothing against a whole table, unless it has others instead.
    if (this.isIndexWhole && (!this.isJobsWhole || this.jidsOf(ABSENT).length > 0)) target.execute(DOUBT_UNINDEXED);
    target.execute(DELETE_DOUBTFUL);
    const doubtful = new Set(this.jidsOf(DOUBTFUL));
    const isComplete = this.isIndexWhole || this.isJobsWhole;
    const lost = this.lostJids(doubtful, isComplete);
    replaceControlVersion(target);
    this.restoreSequence([lost, doubtful, this.options.jidsOfFiles]);
    const saved = countJobs(target);
    return {
      saved,
      blocked: repairGates(target, this.areGatesWhole),
      doubtful,
      lost,
      isComplete,
      areTablesWhole: this.isWhole,
      areIndexesReadable: this.areIndexesReadable,
      isHopeless: !this.isJobsWhole && saved === 0,
      foreign: this.foreign,
      wasOlder: this.wasOlder,
    };
  }

  /** Undefined if SQLite cannot open the file. */
  private attach(path: string, name: SourceName): Source | undefined {
    try {
      this.target.attachDamaged(path, name);
      return new Source(this.target, name, this.options.refresh);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }

  private refuseNewer(): void {
    const version = Number(this.target.get('PRAGMA damaged.user_version')?.['user_version']);
    if (version <= SCHEMA_VERSION) return;
    throw new RqError(
      'QUEUE_VERSION',
      `cannot recover: the database requires a newer version of rq (schema ${version}; this version supports ${SCHEMA_VERSION}); upgrade rq`,
    );
  }

  private copyJobs(source: Source): boolean {
    const { target } = this;
    const high = this.highestJid(source.highestJid());
    const copied = source.copy('jobs', 1, high);
    if (copied === undefined) return false;
    const missing = this.isIndexWhole ? this.jidsOf(ABSENT) : areAllCopied(copied) ? [] : this.missingJids(high);
    const { refused, unreadable } = source.copyJobs(missing);
    for (const jid of [...copied.refused, ...refused]) target.run(ADD_DOUBTFUL, [jid]);
    for (const jid of [...copied.unreadable, ...unreadable]) {
      if (source.hasJob(jid)) target.run(ADD_UNREADABLE, [jid]);
    }
    return areAllCopied(copied) && refused.length === 0 && unreadable.length === 0;
  }

  /** The highest jid to search for. A damaged row, index or sequence can have any number. */
  private highestJid(reached: number): number {
    const indexed = Number(this.target.get(HIGHEST_ENTRY)?.['jid']);
    const sequence = Math.max(0, ...this.sequences.map((each) => each ?? 0));
    const given = maxOf(this.options.jidsOfFiles, sequence);
    if (this.isIndexWhole || sequence > 0) return Math.min(Math.max(reached, given), Math.max(indexed, given));
    return Math.max(reached, indexed, Math.min(given, reached + MAX_JOBS));
  }

  /** Tries no more jids than a queue may have jobs. */
  private *missingJids(high: number): Generator<number> {
    const last = Math.min(high, MAX_JOBS);
    for (let jid = 1; jid <= last; jid++) if (this.target.get(HAS_JOB, [jid]) === undefined) yield jid;
  }

  private copyOthers(source: Source): boolean {
    const { target, options } = this;
    const jids = Number(target.get(HIGHEST)?.['jid']);
    const fence = Math.max(source.fence() ?? 0, options.generation);
    const copied = [
      source.copy('earlier_attempts', 1, jids),
      source.copy('operations', Math.max(1, fence - KEPT_GENERATIONS), fence),
    ];
    const newer = ['rotations', 'arrays', 'decisions', 'lanes', 'hosts'] as const;
    const areNewerWhole = newer.map((table) => source.copySmall(table) || source.isOlder());
    return [source.copySmall('attributes'), ...areNewerWhole, ...copied.map(areAllCopied)].every(Boolean);
  }

  private copyGates(source: Source): boolean {
    // A dependency refers to its gate.
    const areWhole = (['gates', 'needs'] as const).map((table) => source.copySmall(table));
    return areWhole.every(Boolean) || source.isOlder();
  }

  private lostJids(doubtful: ReadonlySet<number>, isComplete: boolean): Set<number> {
    // An index that cannot be read to its end is no evidence against a table that can.
    const isEvidence = this.isIndexWhole || !this.isJobsWhole;
    const absent = isEvidence ? this.jidsOf(ABSENT) : [];
    // Killed submits leave files of jids that never existed, so files count only where nothing better is known.
    const candidates = [...absent, ...this.jidsOf(UNREADABLE), ...(isComplete ? [] : this.options.jidsOfFiles)];
    const isSaved = (jid: number): boolean => this.target.get(HAS_JOB, [jid]) !== undefined;
    return new Set(candidates.filter((jid) => !doubtful.has(jid) && !isSaved(jid)));
  }

  private jidsOf(sql: string): number[] {
    return this.target.all(sql).map((row) => Number(row['jid']));
  }

  /** The next jid must be above every jid that was ever given. */
  private restoreSequence(jids: readonly ReadonlySet<number>[]): void {
    const { target } = this;
    const readable = this.sequences.filter((sequence) => sequence !== undefined);
    let highest = Math.max(
      0,
      ...readable,
      Number(target.get(HIGHEST)?.['jid']),
      Number(target.get(HIGHEST_ENTRY)?.['jid']),
    );
    for (const set of jids) highest = maxOf(set, highest);
    if (readable.length === 0) highest += SKIPPED;
    if (highest === 0) return;
    target.execute(FORGET);
    target.run(REMEMBER, [highest]);
  }
}

function maxOf(jids: ReadonlySet<number>, least: number): number {
  let highest = least;
  for (const jid of jids) highest = Math.max(highest, jid);
  return highest;
}
