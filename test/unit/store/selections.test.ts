import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { JOB_STATES, type JobState } from '../../../src/job/job.ts';
import type { Selection } from '../../../src/job/selection.ts';
import { Connection } from '../../../src/store/connection.ts';
import { countPage } from '../../../src/store/counts/selection-counts.ts';
import { mergeRanges, selectPage } from '../../../src/store/selections.ts';

const COUNT = 40;
let connection: Connection;

const stateOf = (jid: number): JobState => JOB_STATES[jid % JOB_STATES.length] ?? 'pending';
const arrayOf = (jid: number): number | null => (jid >= 11 && jid <= 30 && jid !== 20 ? 11 : null);
const tagOf = (jid: number): string | null => (jid % 3 === 0 ? 'three' : null);

beforeAll(() => {
  connection = Connection.open(':memory:', { create: true, busyMs: 0 });
  connection.migrate();
  for (let jid = 1; jid <= COUNT; jid++) {
    const state = stateOf(jid);
    const ended = state === 'finished' || state === 'dead';
    const ran = ended || state === 'running';
    connection.run(
      `INSERT INTO jobs (jid, state, submitted, submitter, owner, cwd, command, tag, array, started, finished, runner, attempt,
       exit_status, reason, boot, journal) VALUES (?, ?, 'x', 's', 'o', '/', 'c', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        jid,
        state,
        tagOf(jid),
        arrayOf(jid),
        ran ? 'x' : null,
        ended ? 'x' : null,
        ran ? 'h' : null,
        ran ? 1 : 0,
        state === 'finished' ? 0 : null,
        state === 'dead' ? 'why' : null,
        ran ? 'b' : null,
        ran ? 'j' : null,
      ],
    );
  }
});

afterAll(() => connection.close());

const range = fc
  .tuple(fc.integer({ min: 1, max: COUNT + 5 }), fc.nat(10))
  .map(([first, more]) => ({ first, last: first + more }));

test('the pages of a selection contain exactly the matching jobs in the order of jids', () => {
  const selection = fc.record({
    all: fc.boolean(),
    ranges: fc.array(range, { maxLength: 8 }),
    states: fc.uniqueArray(fc.constantFrom(...JOB_STATES), { maxLength: 3 }),
    failed: fc.boolean(),
    pairs: fc.subarray<Selection['pairs'][number]>([
      { field: 'tag', value: 'three' },
      { field: 'tag', value: null },
      { field: 'array', value: 11 },
      { field: 'array', value: null },
    ]),
  });
  fc.assert(
    fc.property(selection, fc.integer({ min: 1, max: 15 }), (selected, limit) => {
      const { all, ranges, states, failed, pairs } = selected;
      const onlyPairs = ranges.length === 0 && states.length === 0 && !failed && pairs.length > 0;
      const hasValue = (jid: number, { field, value }: (typeof pairs)[number]): boolean =>
        (field === 'tag' ? tagOf(jid) : arrayOf(jid)) === value;
      const wanted = Array.from({ length: COUNT }, (_, index) => index + 1).filter((jid) => {
        const isSelectedByJid =
          ranges.some(({ first, last }) => jid >= first && jid <= last) ||
          states.includes(stateOf(jid)) ||
          (failed && stateOf(jid) === 'dead');
        return (all || onlyPairs || isSelectedByJid) && pairs.every((pair) => hasValue(jid, pair));
      });
      const found: number[] = [];
      for (let after = 0; ; ) {
        const page = selectPage(connection, selected, { after, limit });
        found.push(...page.map(({ jid }) => jid));
        if (page.length < limit) break;
        after = page.at(-1)?.jid ?? 0;
      }
      expect(found).toEqual(wanted);
    }),
  );
});

test('a page reads at most as many ranges as it has jobs, and all pages together read few ranges twice', () => {
  const apart = Array.from({ length: 1_000 }, (_, index) => ({ first: 2 * index + 1, last: 2 * index + 1 }));
  const selection: Selection = { all: false, ranges: apart, states: [], pairs: [] };
  const all = vi.spyOn(connection, 'all');
  try {
    const jids: number[] = [];
    for (let after = 0; after < COUNT - 1; after = jids.at(-1) ?? COUNT) {
      jids.push(...selectPage(connection, selection, { after, limit: 5 }).map(({ jid }) => jid));
    }
    expect(jids).toEqual(apart.slice(0, COUNT / 2).map(({ first }) => first));
    const counts = all.mock.calls.map(([, parameters]) => {
      const { ranges } = parameters as unknown as { ranges: string };
      return (JSON.parse(ranges) as unknown[]).length;
    });
    expect(counts).toEqual([5, 5, 5, 5]);
  } finally {
    all.mockRestore();
  }
});

test.each<[string, Partial<Selection>, RegExp]>([
  ['a tag', { pairs: [{ field: 'tag', value: 'three' }] }, /^SEARCH jobs USING INDEX jobs_by_tag/m],
  ['an array', { pairs: [{ field: 'array', value: 11 }] }, /^SEARCH jobs USING INDEX jobs_by_array/m],
  [
    'the failed tasks of an array',
    { failed: true, pairs: [{ field: 'array', value: 11 }] },
    /^SEARCH jobs USING INDEX jobs_by_state \(state=\? AND rowid>\? AND rowid<\?\)$/m,
  ],
  ['a state', { states: ['running'] }, /^SEARCH jobs USING INDEX jobs_by_state/m],
  ['failed jobs', { failed: true }, /^SEARCH jobs USING INDEX jobs_by_state/m],
  ['jids', { ranges: [{ first: 3, last: 9 }] }, /^SEARCH jobs USING INTEGER PRIMARY KEY/m],
])('counting %s reads no other jobs', (_, selection, expected) => {
  const all = vi.spyOn(connection, 'all');
  try {
    const page = { after: 0, limit: 100 };
    countPage(connection, { all: false, ranges: [], states: [], pairs: [], ...selection }, page, ['x']);
    const [sql = '', parameters = {}] = all.mock.calls[0] ?? [];
    const plan = connection.all(`EXPLAIN QUERY PLAN ${sql}`, parameters).map((row) => String(row['detail']));
    expect(plan.join('\n')).toMatch(expected);
    expect(plan.join('\n')).not.toMatch(/SCAN jobs/);
  } finally {
    all.mockRestore();
  }
});

test('merged ranges contain the same jids, ascend and do not overlap', () => {
  fc.assert(
    fc.property(fc.array(range), (ranges) => {
      const merged = mergeRanges(ranges);
      const jids = (list: typeof ranges): Set<number> =>
        new Set(
          list.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index)),
        );
      expect(jids(merged)).toEqual(jids(ranges));
      for (const [index, each] of merged.entries())
        expect(each.first).toBeGreaterThan((merged[index - 1]?.last ?? -1) + 1);
    }),
  );
});
