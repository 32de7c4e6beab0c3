import { describe, expect, test } from 'vitest';
import { offsetFindings } from '../../../src/doctor/clock-offset.ts';
import { cronFindings } from '../../../src/doctor/cron.ts';
import { databaseFindings } from '../../../src/doctor/database.ts';
import { notChecked, note, problem, shortList, worstLevel } from '../../../src/doctor/finding.ts';
import { runtimeMountFindings, socketFindings } from '../../../src/doctor/runtime.ts';
import { inodeFindings, spaceFindings } from '../../../src/doctor/space.ts';

const MIB = 2 ** 20;

test('the verdict is the worst level of the findings', () => {
  const [bad, fair, open] = [problem('a', 'b', 'c'), note('a', 'b', 'c'), notChecked('a', 'b')];
  expect([[], [fair], [fair, open], [open, bad, fair]].map(worstLevel)).toEqual([
    'ok',
    'note',
    'not checked',
    'problem',
  ]);
});

test('a long list of names is cut to a few and a number', () => {
  expect(shortList(['a', 'b'])).toBe('a, b');
  expect(shortList(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
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
    expect(spaceFindings(room, database * MIB).map(({ level }) => level)).toEqual(levels);
  });

  test.each([
    [0, 0, []],
    [1_000_000, 20_000, []],
    [1_000_000, 19_999, ['note']],
    [1_000_000, 999, ['problem']],
  ])('of %i inodes %i free: %j', (files, freeFiles, levels) => {
    expect(inodeFindings({ freeBytes: 0, files, freeFiles }).map(({ level }) => level)).toEqual(levels);
  });
});

test.each([
  [4_900, []],
  [-4_900, []],
  [5_100, ["x is 5.1 s ahead of the file server's"]],
  [-300_000, ["x is 300.0 s behind the file server's"]],
])('an offset of %i ms: %j', (offsetMs, found) => {
  expect(offsetFindings(offsetMs, 'x').map((finding) => finding.found)).toEqual(found);
});

test('a socket path that is too long and a runtime directory on NFS are problems', () => {
  expect(socketFindings('/tmp/rq-1000/0123456789abcdef')).toEqual([]);
  expect(socketFindings(`/${'d'.repeat(100)}`)).toMatchObject([{ level: 'problem' }]);
  expect(runtimeMountFindings('ext4', '/tmp')).toEqual([]);
  for (const type of ['nfs', 'nfs4', 'lustre']) expect(runtimeMountFindings(type, '/tmp')).toHaveLength(1);
});

test('an unreadable database is not checked; a locked or newer one is a problem', () => {
  const levels = (['failed', 'journal', 'locked', 'newer', 'damaged', 'wal'] as const).map((kind) =>
    databaseFindings({ kind, why: 'so' }, '/q').map(({ level }) => level),
  );
  expect(levels.flat()).toEqual(['not checked', 'note', 'problem', 'problem', 'problem', 'problem']);
});

describe('the crontab', () => {
  const judge = (lines: string[] | undefined, hasFeeder: boolean, missing: string[] = []): string[] =>
    cronFindings({ lines, missing, trouble: 'refused' }, { hasFeeder, queueDirectory: '/q' }).map(({ level }) => level);

  test('is ok if it has a line for a running feeder, or no line for no feeder', () => {
    expect([judge(['* * * * * rq'], true), judge([], false), judge(undefined, false)]).toEqual([[], [], []]);
  });

  test('a missing line or feeder and an unreadable crontab are noted; a missing program is a problem', () => {
    expect([judge([], true), judge(['x'], false), judge(undefined, true)]).toEqual([['note'], ['note'], ['note']]);
    expect(judge(['x'], true, ['/gone/node'])).toEqual(['problem']);
  });
});
