import type { JobState } from '../../job/job.ts';
import type { FieldPair, JidRange, Selection } from '../../job/selection.ts';
import { parseRange } from '../../job/terms/jids.ts';
import { parsePair } from '../../job/terms/pairs.ts';
import { parseState } from '../../job/terms/states.ts';

/**
 * Parses selectors (`42`, `10-20`, `1,3,7-9`, `pending`, `p`, `failed`, `all`, `tag=x`, `exit_status=null`) as a
 * selection. Without selectors, nothing is selected. Throws USAGE.
 */
export function parseSelection(args: readonly string[]): Selection {
  const ranges: JidRange[] = [];
  const states = new Set<JobState>();
  const pairs: FieldPair[] = [];
  let all = false;
  let failed = false;
  for (const word of args) {
    if (word.includes('=')) {
      pairs.push(parsePair(word));
      continue;
    }
    for (const part of word.split(',')) {
      const range = parseRange(part);
      if (range !== undefined) ranges.push(range);
      else if (part === 'all') all = true;
      else if (part === 'failed') failed = true;
      else states.add(parseState(part, word));
    }
  }
  return { all, ranges, states: [...states], pairs, ...(failed ? { failed } : {}) };
}

/** Whether a selection selects nothing in any queue. */
export function isEmptySelection(selection: Selection): boolean {
  const { all, failed = false, ranges, states, pairs } = selection;
  return !all && !failed && ranges.length === 0 && states.length === 0 && pairs.length === 0;
}
