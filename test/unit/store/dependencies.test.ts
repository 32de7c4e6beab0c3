import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dependentsOf, isRunningJobNeeded, neededJids } from '../../../src/store/dependencies/dependents.ts';
import { DependencyStore } from '../../support/dependency-store.ts';

let store: DependencyStore;

beforeEach(() => {
  store = new DependencyStore();
});

afterEach(() => store.close());

/** The jids that a job waits for. */
function needsOf(jid: number): number[] {
  const sql = `SELECT needs.jid FROM jobs JOIN needs USING (gate) WHERE jobs.jid = ${jid} ORDER BY needs.jid`;
  return store.all(sql).map((row) => Number(row['jid']));
}

function states(): unknown[] {
  return store.all('SELECT state FROM jobs ORDER BY jid').map(({ state }) => state);
}

function gates(): number {
  return store.all('SELECT 1 FROM gates').length;
}

function tagged(tag: string, after: string | null = null): { tag: string; after: string | null } {
  return { tag, after };
}

/** Claims and ends the next job. */
function runNext(isOk = true): void {
  store.end(store.claim() ?? 0, isOk);
  while (store.workOff(10));
}

describe('a submit', () => {
  test.each([
    ['9', 'NO_JOB', 'no job 9 in /q'],
    ['3', 'NO_JOB', 'no job 3 in /q'],
    ['tag=none', 'NO_JOB', 'no job in /q matches tag=none'],
    ['7-9', 'NO_JOB', 'no job in /q matches 7-9'],
    ['each:1', 'INVALID_INPUT', 'add --array'],
  ])('after %s fails with %s and adds nothing', (after, code, message) => {
    store.submit([{}, {}]);
    expect(() => store.submit([{ after }])).toThrow(expect.objectContaining({ code }));
    expect(() => store.submit([{ after }])).toThrow(message);
    expect([states().length, gates()]).toEqual([2, 0]);
  });

  test('may name earlier jobs of the same submit, and not later ones', () => {
    store.submit([{}, { after: '1' }, { after: '1-2' }]);
    expect([1, 2, 3].map(needsOf)).toEqual([[], [1], [1, 2]]);
    expect(() => store.submit([{ after: '5' }, {}])).toThrow('no job 5 in /q');
  });

  test('ignores jids that are missing in a range', () => {
    store.submit([{}, {}, {}]);
    store.delete(2);
    store.submit([{ after: '1-99' }]);
    expect(needsOf(4)).toEqual([1, 3]);
  });

  test('gives one gate to all jobs with the same dependencies', () => {
    store.submit(Array.from({ length: 50 }, () => tagged('a')));
    store.submit(Array.from({ length: 50 }, () => ({ after: 'tag=a' })));
    expect([gates(), store.all('SELECT 1 FROM needs').length]).toEqual([1, 50]);
    store.submit([{ after: '1' }, { after: '2' }, { after: '1' }]);
    expect(gates()).toBe(3);
  });

  test('does not make jobs with the same dependencies wait for each other', () => {
    store.submit([tagged('a'), tagged('b')]);
    store.submit([tagged('a', 'tag=a'), tagged('a', 'tag=a'), tagged('a', '1-99'), tagged('a', '1-99')]);
    expect([3, 4, 5, 6].map(needsOf)).toEqual([[1], [1], [1, 2, 3, 4], [1, 2, 3, 4]]);
  });

  test('makes each job wait for the selected jobs that are before it in the list', () => {
    store.submit([tagged('a'), { after: 'tag=a' }, tagged('a'), { after: 'tag=a' }, { after: 'tag=a' }]);
    expect([2, 4, 5].map(needsOf)).toEqual([[1], [1, 3], [1, 3]]);
  });

  test('decides at once on jobs that have ended', () => {
    store.submit([{}, {}, {}]);
    runNext();
    runNext(false);
    store.submit([
      { after: '1' },
      { after: '2' },
      { after: 'any:2,failed:2' },
      { after: 'failed:1' },
      { after: '1-3' },
    ]);
    while (store.workOff(10));
    expect(states()).toEqual(['finished', 'finished', 'pending', 'pending', 'dead', 'pending', 'dead', 'dead']);
    expect([4, 6].map((jid) => store.row(jid)?.['gate'])).toEqual([null, null]);
    expect([5, 7, 8].map((jid) => store.row(jid)?.['reason'])).toEqual([
      'needs 2, which failed',
      'needs the failure of 1, which succeeded',
      'needs 2, which failed',
    ]);
  });
});

describe('two arrays', () => {
  test('of the same indexes pair up', () => {
    store.submit([{}, {}, {}], true);
    store.submit(
      Array.from({ length: 3 }, () => ({ after: 'each:1' })),
      true,
    );
    expect([4, 5, 6].map(needsOf)).toEqual([[1], [2], [3]]);
    runNext();
    runNext(false);
    expect(states()).toEqual(['finished', 'finished', 'pending', 'pending', 'dead', 'pending']);
    expect([4, 6].map((jid) => store.row(jid)?.['gate'] === null)).toEqual([true, false]);
  });

  test.each([
    [2, 'INVALID_INPUT', 'array 1 has 3 tasks, and the new one has 2'],
    [4, 'NO_JOB', 'array 1 has no task with the index 4'],
  ])('of other indexes (%d) are refused', (count, code, message) => {
    store.submit([{}, {}, {}], true);
    const submit = (): unknown =>
      store.submit(
        Array.from({ length: count }, () => ({ after: 'each:1' })),
        true,
      );
    expect(submit).toThrow(expect.objectContaining({ code }));
    expect(submit).toThrow(message);
    expect(states()).toHaveLength(3);
  });

  test('pair up only if the first exists', () => {
    store.submit([{}]);
    expect(() => store.submit([{ after: 'each:1' }], true)).toThrow('there is no array 1');
  });
});

describe('an update', () => {
  test.each([
    ['2', 'job 2 cannot wait for itself'],
    ['3', 'job 2 cannot wait for job 3'],
    ['tag=a', 'job 2 cannot wait for job 3'],
    ['1-9', 'job 2 cannot wait for itself'],
  ])('to %s is refused, because it could make jobs wait for each other', (after, message) => {
    store.submit([tagged('a'), tagged('b'), tagged('a')]);
    expect(() => store.update(2, { after })).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    expect(() => store.update(2, { after })).toThrow(message);
    expect(needsOf(2)).toEqual([]);
  });

  test('replaces or removes the dependencies, and the gate that no job has any more', () => {
    store.submit([{}, {}, { after: '1' }]);
    store.update(3, { after: '2' });
    expect([needsOf(3), gates()]).toEqual([[2], 1]);
    store.update(3, { priority: 4 });
    expect(needsOf(3)).toEqual([2]);
    store.update(3, { after: null });
    expect([store.row(3)?.['gate'], gates(), store.all('SELECT 1 FROM needs')]).toEqual([null, 0, []]);
  });
});

test('a gate and its dependencies are removed with the last of its jobs', () => {
  store.submit([{}, { after: '1' }, { after: '1' }]);
  store.delete(2);
  expect(gates()).toBe(1);
  store.delete(3);
  expect([gates(), store.all('SELECT 1 FROM needs').length]).toEqual([0, 0]);
});

test('a job that is deleted before it ends counts as failed', () => {
  store.submit([{}, { after: '1' }, { after: 'any:1' }, { after: 'failed:1' }]);
  expect(neededJids(store.connection, [1, 2])).toEqual([1]);
  expect([...dependentsOf(store.connection, [1])].map(({ jid }) => jid).sort()).toEqual([2, 3, 4]);
  store.delete(1);
  while (store.workOff(10));
  expect(states()).toEqual(['dead', 'pending', 'pending']);
  expect(store.row(2)?.['reason']).toBe('needs 1, which was deleted');
});

test('what a job decided stays decided after it is deleted', () => {
  store.submit([{}, { after: '1' }, {}, { after: '3' }]);
  store.end(store.claim() ?? 0, true);
  store.end(store.claim() ?? 0, false);
  store.delete(1);
  store.delete(3);
  while (store.workOff(1));
  expect([store.row(2), store.row(4)]).toMatchObject([
    { state: 'pending', gate: null },
    { state: 'dead', reason: 'needs 3, which failed' },
  ]);
});

test('a running job is needed while a pending job waits for it', () => {
  store.submit([{}, { after: '1' }]);
  expect(isRunningJobNeeded(store.connection)).toBe(false);
  store.claim();
  expect(isRunningJobNeeded(store.connection)).toBe(true);
  store.kill(2);
  expect(isRunningJobNeeded(store.connection)).toBe(false);
});

test('a job that cannot be changed keeps its gate, and the others are decided', () => {
  store.submit([{}, { after: '1' }, { after: '1' }, { after: '1' }]);
  store.connection.execute(`CREATE TRIGGER mine BEFORE UPDATE ON jobs WHEN new.jid = 3 AND new.state = 'dead'
    BEGIN SELECT RAISE(ABORT, 'mine'); END`);
  runNext(false);
  expect(states()).toEqual(['finished', 'dead', 'pending', 'dead']);
  expect([store.row(3)?.['gate'] === null, store.workOff(10)]).toEqual([false, false]);
  expect(store.claim()).toBeUndefined();
});

test('a chain of 1,000 jobs whose first job fails dies in one part of the work', () => {
  store.submit(Array.from({ length: 1_000 }, (_, index) => ({ after: index === 0 ? null : String(index) })));
  store.end(store.claim() ?? 0, false);
  expect(store.workOff(1_000)).toBe(false);
  expect(store.all("SELECT 1 FROM jobs WHERE state = 'dead'")).toHaveLength(999);
});

test('a part of the work changes no more jobs than permitted', () => {
  store.submit([{}, ...Array.from({ length: 25 }, () => ({ after: '1' }))]);
  store.end(store.claim() ?? 0, false);
  const dead = (): number => store.all("SELECT 1 FROM jobs WHERE state = 'dead'").length;
  const counts = [];
  for (let hasMore = true; hasMore; counts.push(dead())) hasMore = store.workOff(10);
  expect(counts.slice(0, 3)).toEqual([10, 20, 25]);
});
