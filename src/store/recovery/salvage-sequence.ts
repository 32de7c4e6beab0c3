import type { Connection } from '../connection.ts';
import { isJob } from './row-checks.ts';
import { readTreePage } from './tree-page.ts';
import type { Trees } from './tree-walk.ts';

const FORGET = "DELETE FROM sqlite_sequence WHERE name = 'jobs'";
const REMEMBER = "INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)";
const HIGHEST = 'SELECT coalesce(max(jid), 0) AS jid FROM jobs';
/** How many jids are left out where nobody knows any more which ones were given to jobs that are deleted. */
const LEFT_OUT = 1_000;

/** Sees to it that no jid is used again: the next is above the old sequence and above every jid that was seen. */
export function restoreSequence(
  trees: Trees,
  target: Connection,
  { sequence, known }: { sequence: number | undefined; known: readonly ReadonlySet<number>[] },
): void {
  let highest = Math.max(sequence ?? 0, Number(target.get(HIGHEST)?.['jid']));
  for (const jids of known) for (const jid of jids) highest = Math.max(highest, jid);
  if (sequence === undefined) highest = Math.max(highest, highestInAnyPage(trees)) + LEFT_OUT;
  if (highest === 0) return;
  target.execute(FORGET);
  target.run(REMEMBER, [highest]);
}

/** Also rows of jobs that are deleted, in pages that are free. */
function highestInAnyPage(trees: Trees): number {
  let highest = 0;
  for (let number = 2; number <= trees.file.length; number++) {
    trees.onPage();
    const page = readTreePage(trees.file, number);
    if (page?.isLeaf !== true || !page.isTable) continue;
    for (const { rowid, record } of trees.records(page)) if (isJob(record.values)) highest = Math.max(highest, rowid);
  }
  return highest;
}
