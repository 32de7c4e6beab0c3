import type { JidRange } from '../../job/selection.ts';

/** Jids as ascending ranges: the jobs of one submit are one range, however many they are. */
export class JidSet {
  /** The number of jids. */
  size: number;
  private members: { first: number; last: number }[];

  /** The ranges are ascending and do not overlap. */
  constructor(ranges: readonly JidRange[] = []) {
    this.members = ranges.map(({ first, last }) => ({ first, last }));
    this.size = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  get ranges(): readonly JidRange[] {
    return this.members;
  }

  /** Adds a jid that is higher than all others. */
  append(jid: number): void {
    const previous = this.members.at(-1);
    if (previous?.last === jid - 1) previous.last = jid;
    else this.members.push({ first: jid, last: jid });
    this.size += 1;
  }

  /** Removes members. The jids are in ascending order. */
  remove(jids: readonly number[]): void {
    const kept: { first: number; last: number }[] = [];
    let at = 0;
    for (const { first, last } of this.members) {
      let start = first;
      for (let jid = jids[at]; jid !== undefined && jid <= last; jid = jids[at]) {
        if (jid > start) kept.push({ first: start, last: jid - 1 });
        start = jid + 1;
        at += 1;
      }
      if (start <= last) kept.push({ first: start, last });
    }
    this.members = kept;
    this.size -= jids.length;
  }

  /** The members that are not among these jids, which are in ascending order. */
  without(jids: readonly number[]): number[] {
    const others = new Set(jids);
    return this.members.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index).filter((jid) => !others.has(jid)),
    );
  }
}
