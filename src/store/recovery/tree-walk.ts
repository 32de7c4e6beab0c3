import { type PageFile, readFreelist } from './page-file.ts';
import { brokenHeads, mayBeCut, readPayload } from './payload.ts';
import { type DecodedRecord, decodeRecord } from './record.ts';
import { readTreePage, type TreePage } from './tree-page.ts';

const MOST_LEVELS = 20;

/** One row, or one entry of an index, as it was found. */
export interface FoundRecord {
  readonly rowid: number;
  readonly record: DecodedRecord;
  /** It can be read, but it lies where something is damaged, so it may be too. */
  readonly isDoubtful: boolean;
  readonly overflow: readonly number[];
}

/** What is between two keys of a tree of a table: above `low`, up to `high`. */
interface Range {
  readonly low: number;
  readonly high: number;
}

const ALL: Range = { low: -1, high: Number.MAX_SAFE_INTEGER };

/** The trees of a file, walked from their roots as far as their pages can be believed. */
export class Trees {
  /** Undefined where it cannot be told which pages are free. */
  readonly free: ReadonlySet<number> | undefined;
  /** Pages that belong to a tree that was walked. */
  readonly reached = new Set<number>();

  constructor(
    readonly file: PageFile,
    /** Called for each page. */
    readonly onPage: () => void,
  ) {
    this.free = readFreelist(file);
  }

  walk(root: number): Walk {
    return new Walk(this, root);
  }

  /** Leaves that no walk came to; none where they cannot be told from free pages with rows of the past. */
  *orphans(isTable: boolean): Generator<TreePage> {
    if (this.free === undefined) return;
    for (let number = 2; number <= this.file.length; number++) {
      this.onPage();
      if (this.reached.has(number) || this.free.has(number)) continue;
      const page = readTreePage(this.file, number);
      if (page?.isLeaf === true && page.isTable === isTable && isInRange(page, ALL)) yield page;
    }
  }

  /** What the cells of a page hold; cells that cannot be read are left out. */
  *records(page: TreePage): Generator<FoundRecord> {
    const heads = brokenHeads(page);
    for (const cell of page.cells) {
      const payload = readPayload(this.file, page, cell);
      const record = payload === undefined ? undefined : decodeRecord(payload.bytes);
      if (payload === undefined || record === undefined) continue;
      const { overflow } = payload;
      const isDoubtful = !page.isSound || mayBeCut(this.file, page, cell, { heads, overflow });
      yield { rowid: cell.rowid, record, isDoubtful, overflow };
    }
  }
}

/** One way down from a root. */
export class Walk {
  /** True until something on the way was not as it must be; to be asked after the last page. */
  isWhole = true;

  constructor(
    private readonly trees: Trees,
    private readonly root: number,
  ) {}

  /** The pages that hold records: leaves, and of an index the others too. */
  pages(): Generator<TreePage> {
    return this.below(this.root, ALL, undefined, 0);
  }

  private *below(number: number, range: Range, isTable: boolean | undefined, level: number): Generator<TreePage> {
    const { trees } = this;
    trees.onPage();
    const isTaken = trees.reached.has(number) || trees.free?.has(number) === true;
    const page = isTaken || level > MOST_LEVELS ? undefined : readTreePage(trees.file, number);
    if (page === undefined || (isTable ?? page.isTable) !== page.isTable || !isInRange(page, range)) {
      this.isWhole = false;
      return;
    }
    if (!page.isSound || page.broken.length > 0) this.isWhole = false;
    trees.reached.add(number);
    if (page.isLeaf) {
      yield page;
      return;
    }
    if (!this.areChildren(page)) {
      this.isWhole = false;
      return;
    }
    let { low } = range;
    for (const cell of page.cells) {
      yield* this.below(cell.child, page.isTable ? { low, high: cell.rowid } : ALL, page.isTable, level + 1);
      low = cell.rowid;
    }
    if (!page.isTable) yield page;
    yield* this.below(page.right, { low, high: range.high }, page.isTable, level + 1);
  }

  /** One bad pointer, and none of the page's is believed: it may lead to a page of the past. */
  private areChildren(page: TreePage): boolean {
    const children = [...page.cells.map(({ child }) => child), page.right];
    return (
      page.isSound &&
      page.broken.length === 0 &&
      new Set(children).size === children.length &&
      children.every((child) => child >= 2 && child <= this.trees.file.pageCount && !this.trees.reached.has(child))
    );
  }
}

/** Whether the rows of a page are in their order, and between those before and after it. */
function isInRange({ isTable, cells }: TreePage, { low, high }: Range): boolean {
  if (!isTable) return true;
  let last = low;
  for (const { rowid } of cells) {
    if (rowid <= last || rowid > high) return false;
    last = rowid;
  }
  return true;
}
