import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JidSet } from '../../../src/queue/wait/jid-set.ts';

const jids = fc.uniqueArray(fc.integer({ min: 1, max: 60 })).map((list) => list.sort((a, b) => a - b));

function membersOf(set: JidSet): number[] {
  return set.without([]);
}

test('after removals, a set of jids has the others, in ranges that do not touch', () => {
  fc.assert(
    fc.property(jids, fc.array(fc.nat(100), { maxLength: 60 }), (all, choices) => {
      const set = new JidSet();
      for (const jid of all) set.append(jid);
      expect(membersOf(set)).toEqual(all);
      const removed = all.filter((_, index) => (choices[index] ?? 0) % 2 === 1);
      expect(set.without(removed)).toEqual(all.filter((jid) => !removed.includes(jid)));
      set.remove(removed);
      const kept = all.filter((jid) => !removed.includes(jid));
      expect([membersOf(set), set.size]).toEqual([kept, kept.length]);
      const touching = set.ranges.filter((range, index) => range.first === (set.ranges[index - 1]?.last ?? -1) + 1);
      expect(touching).toEqual([]);
    }),
  );
});

test('a set of a million jids is one range', () => {
  const set = new JidSet([{ first: 1, last: 1_000_000 }]);
  set.remove([1, 500, 501, 1_000_000]);
  expect([set.size, set.ranges]).toEqual([
    999_996,
    [
      { first: 2, last: 499 },
      { first: 502, last: 999_999 },
    ],
  ]);
});
