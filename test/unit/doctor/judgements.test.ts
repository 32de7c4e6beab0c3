import { describe, expect, test } from 'vitest';
import { judgeOffset } from '../../../src/doctor/clock-offset.ts';
import { judgeCron } from '../../../src/doctor/cron.ts';
import { judgeDatabase } from '../../../src/doctor/database.ts';
import { notChecked, note, phrase, problem, verdict } from '../../../src/doctor/finding.ts';
import { judgeRuntimeMount, judgeSocket } from '../../../src/doctor/runtime.ts';
import { judgeInodes, judgeSpace } from '../../../src/doctor/space.ts';

const MIB = 2 ** 20;

test('the verdict over findings is the worst of them', () => {
  const [bad, fair, open] = [problem('a', 'b', 'c'), note('a', 'b', 'c'), notChecked('a', 'b')];
  expect([[], [fair], [fair, open], [open, bad, fair]].map(verdict)).toEqual(['ok', 'note', 'not checked', 'problem']);
});

test('many names become some, and a number', () => {
  expect(phrase(['a', 'b'])).toBe('a, b');
  expect(phrase(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
});

describe('space', () => {
  test.each([
    [4 * 1024, 1, []],
    [255, 1, ['note']],
    [15, 1, ['problem']],
    [3 * 1024, 2048, ['note']],
    [4 * 1024, 2048, []],
  ])('with %i MiB free and a database of %i MiB: %j', (free, database, levels) => {
    const room = { freeBytes: free * MIB, files: 0, freeFiles: 0 };
    expect(judgeSpace(room, database * MIB).map(({ level }) => level)).toEqual(levels);
  });

  test.each([
    [0, 0, []],
    [1_000_000, 20_000, []],
    [1_000_000, 19_999, ['note']],
    [1_000_000, 999, ['problem']],
  ])('of %i inodes %i free: %j', (files, freeFiles, levels) => {
    expect(judgeInodes({ freeBytes: 0, files, freeFiles }).map(({ level }) => level)).toEqual(levels);
  });
});

test.each([
  [4_900, []],
  [-4_900, []],
  [5_100, ["x is 5.1 s ahead of the file server's"]],
  [-300_000, ["x is 300.0 s behind the file server's"]],
])('an offset of %i ms: %j', (offsetMs, found) => {
  expect(judgeOffset(offsetMs, 'x').map((finding) => finding.found)).toEqual(found);
});

test('a socket whose path is too long, and a runtime directory on NFS, are problems', () => {
  expect(judgeSocket('/tmp/rq-1000/0123456789abcdef')).toEqual([]);
  expect(judgeSocket(`/${'d'.repeat(100)}`)).toMatchObject([{ level: 'problem' }]);
  expect(judgeRuntimeMount('ext4', '/tmp')).toEqual([]);
  for (const type of ['nfs', 'nfs4', 'lustre']) expect(judgeRuntimeMount(type, '/tmp')).toHaveLength(1);
});

test('a database that cannot be read is not checked; one that is locked or of a newer rq is a problem', () => {
  const levels = (['failed', 'journal', 'locked', 'newer', 'damaged', 'wal'] as const).map((kind) =>
    judgeDatabase({ kind, why: 'so' }, '/q').map(({ level }) => level),
  );
  expect(levels.flat()).toEqual(['not checked', 'note', 'problem', 'problem', 'problem', 'problem']);
});

describe('the crontab', () => {
  const judge = (lines: string[] | undefined, hasFeeder: boolean, missing: string[] = []): string[] =>
    judgeCron({ lines, missing, trouble: 'refused' }, { hasFeeder, queueDirectory: '/q' }).map(({ level }) => level);

  test('is well where it has a line for a feeder that runs, and none where none is meant to', () => {
    expect([judge(['* * * * * rq'], true), judge([], false), judge(undefined, false)]).toEqual([[], [], []]);
  });

  test('is noted where the line or the feeder is missing, or it cannot be read; a program that is gone is a problem', () => {
    expect([judge([], true), judge(['x'], false), judge(undefined, true)]).toEqual([['note'], ['note'], ['note']]);
    expect(judge(['x'], true, ['/gone/node'])).toEqual(['problem']);
  });
});
