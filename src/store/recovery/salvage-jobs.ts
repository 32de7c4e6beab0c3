import type { Connection } from '../connection.ts';
import { isAccepted, isJob } from './row-checks.ts';
import { readTreePage, type TreePage } from './tree-page.ts';
import type { FoundRecord, Trees } from './tree-walk.ts';

const INSERT_JOB = `INSERT INTO jobs VALUES
  (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const HAS_JOB = 'SELECT 1 FROM jobs WHERE jid = ?';
const DELETE_JOB = 'DELETE FROM jobs WHERE jid = ?';

/** The first and the last jid of a leaf. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly page: number;
}

/** Copies the rows of `jobs` that can be believed into another database. */
export class JobSalvage {
  readonly doubtful = new Set<number>();
  /** Every page of the table was as it must be. */
  isWhole = false;
  private readonly spans: Span[] = [];
  /** Which row goes on in an overflow page. */
  private readonly owners = new Map<number, number>();

  constructor(
    private readonly trees: Trees,
    private readonly target: Connection,
  ) {}

  /** Saves what is below the root, and what was cut off from it. */
  save(root: number | undefined): void {
    if (root !== undefined) {
      const walk = this.trees.walk(root);
      for (const page of walk.pages()) this.savePage(page);
      this.isWhole = walk.isWhole;
    }
    if (this.isWhole) return;
    for (const { page } of this.orphans()) {
      const read = readTreePage(this.trees.file, page);
      if (read !== undefined) this.savePage(read);
    }
  }

  has(jid: number): boolean {
    return this.target.get(HAS_JOB, [jid]) !== undefined;
  }

  /** Takes a row back: it may be wrong. */
  doubt(jid: number): void {
    this.doubtful.add(jid);
    this.target.run(DELETE_JOB, [jid]);
  }

  private savePage(page: TreePage): void {
    const span = spanOf(page);
    if (span !== undefined) this.spans.push(span);
    for (const found of this.trees.records(page)) this.saveRow(found);
  }

  private saveRow({ rowid, record, isDoubtful, overflow }: FoundRecord): void {
    const isGood = !isDoubtful && record.isSound && isJob(record.values) && !this.doubtful.has(rowid);
    // A row that is damaged has no say in whose a page is.
    if (!isGood || !this.own(rowid, overflow) || !this.insert(rowid, record)) this.doubt(rowid);
  }

  private insert(jid: number, { values }: FoundRecord['record']): boolean {
    // Against the schema, or there already: in two pages that cannot both be of today.
    return isAccepted(() => void this.target.run(INSERT_JOB, [jid, ...values.slice(1)]));
  }

  /** False if an overflow page is another's too, or free; then that other row is in doubt as well. */
  private own(jid: number, overflow: readonly number[]): boolean {
    let isOwned = true;
    for (const page of overflow) {
      const owner = this.owners.get(page);
      if (owner !== undefined) this.doubt(owner);
      if (owner !== undefined || this.trees.free?.has(page) === true || this.trees.reached.has(page)) isOwned = false;
      this.owners.set(page, jid);
    }
    return isOwned;
  }

  /** Leaves of this table without a way to them. Of two with jids among each other's, one is not of today. */
  private orphans(): Span[] {
    const found: Span[] = [];
    for (const page of this.trees.orphans(true)) {
      const span = spanOf(page);
      const isJobs = [...this.trees.records(page)].some(({ record }) => isJob(record.values));
      if (span !== undefined && isJobs) found.push(span);
    }
    const all = [...this.spans, ...found].sort((a, b) => a.first - b.first);
    const tangled = new Set<number>();
    let before: Span | undefined;
    for (const span of all) {
      if (before !== undefined && span.first <= before.last) {
        tangled.add(before.page);
        tangled.add(span.page);
      }
      if (before === undefined || span.last > before.last) before = span;
    }
    return found.filter(({ page }) => !tangled.has(page));
  }
}

function spanOf({ cells, number }: TreePage): Span | undefined {
  const first = cells[0]?.rowid;
  const last = cells.at(-1)?.rowid;
  return first === undefined || last === undefined ? undefined : { first, last, page: number };
}
