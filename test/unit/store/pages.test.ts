import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Connection } from '../../../src/store/connection.ts';
import { PageFile, readFreelist } from '../../../src/store/recovery/page-file.ts';
import { decodeRecord, readVarint } from '../../../src/store/recovery/record.ts';
import { findRoots } from '../../../src/store/recovery/roots.ts';
import { Trees } from '../../../src/store/recovery/tree-walk.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const INSERT = `INSERT INTO jobs (jid, priority, state, submitted, started, finished, elapsed, submitter, owner, runner, pid,
  exit_status, attempt, tag, cwd, command) VALUES (:jid, :priority, 'finished', 'x', 'y', 'z', :elapsed, 's', 'o', 'r', :pid,
  :exit_status, 1, :tag, '/', :command)`;
let path: string;
let connection: Connection;

beforeEach(() => {
  path = join(temporaryDirectory(), 'db');
  connection = Connection.open(path, { create: true, busyMs: 0 });
  connection.execute('PRAGMA synchronous = OFF');
  connection.migrate();
});

afterEach(() => connection.close());

/** What the page reader finds in `jobs` and in an index; every page of both must be beyond doubt. */
function readPages(): { jobs: unknown[][]; byTag: unknown[][]; free: number | undefined } {
  const descriptor = openSync(path, 'r');
  try {
    const trees = new Trees(new PageFile(descriptor), () => undefined);
    const { pages, guessed } = findRoots(trees);
    expect(guessed.size).toBe(0);
    const all = (name: 'jobs' | 'jobs_by_tag'): unknown[][] => {
      const walk = trees.walk(pages.get(name) ?? 0);
      const found = [...walk.pages()].flatMap((page) => [...trees.records(page)]);
      expect(walk.isWhole).toBe(true);
      expect(found.filter(({ isDoubtful, record }) => isDoubtful || !record.isSound)).toEqual([]);
      return found.map(({ rowid, record }) => (rowid === 0 ? [...record.values] : [rowid, ...record.values.slice(1)]));
    };
    return { jobs: all('jobs'), byTag: all('jobs_by_tag'), free: readFreelist(new PageFile(descriptor))?.size };
  } finally {
    closeSync(descriptor);
  }
}

const text = (maxLength: number) =>
  fc.string({ unit: 'binary', minLength: 1, maxLength }).map((value) => value.replaceAll('\0', '0'));
const job = fc.record({
  priority: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  elapsed: fc.oneof(fc.constant(null), fc.nat(), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
  pid: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 2 ** 48 })),
  exit_status: fc.integer({ min: -300, max: 300 }),
  tag: fc.option(text(60)),
  command: fc.oneof(
    text(200),
    fc.integer({ min: 1, max: 40_000 }).map((size) => 'ü'.repeat(size)),
  ),
});

test('the page reader reads the same as SQLite, of long rows, of many, and after deletions', () => {
  fc.assert(
    fc.property(fc.array(job, { minLength: 1, maxLength: 60 }), fc.integer({ min: 2, max: 9 }), (jobs, every) => {
      connection.execute('DELETE FROM jobs');
      connection.execute('BEGIN');
      for (const [index, each] of jobs.entries()) connection.run(INSERT, { ...each, jid: 1 + index * index });
      connection.execute('COMMIT');
      connection.execute(
        `DELETE FROM jobs WHERE jid % ${every} = 0; UPDATE jobs SET command = 'short' WHERE jid % ${every} = 1`,
      );
      const { jobs: found, byTag, free } = readPages();
      expect(found).toEqual(connection.prepare('SELECT * FROM jobs ORDER BY jid').raw().all());
      const tags = connection.prepare('SELECT tag, jid FROM jobs WHERE tag IS NOT NULL').raw().all();
      expect(new Set(byTag.map(String))).toEqual(new Set(tags.map(String)));
      expect(byTag).toHaveLength(tags.length);
      expect(free).toBe(connection.get('PRAGMA freelist_count')?.['freelist_count']);
    }),
    { numRuns: 40 },
  );
});

test.each([
  ['text that is not UTF-8', '0217ff80610a', undefined],
  ['a length that is not the payload', '0213', undefined],
  ['a blob', '020e61', false],
  ['text with a NUL', '02110061', false],
  ['an integer that could be shorter', '02020001', false],
  ['text', '020f61', true],
  ['an integer', '020180', true],
])('a record with %s', (_, hex, isSound) => {
  expect(decodeRecord(Buffer.from(hex, 'hex'))?.isSound).toBe(isSound);
});

test('a variable-length integer is read if it is as short as it can be, and of 53 bits', () => {
  expect(readVarint(Buffer.from('8100', 'hex'), 0)).toEqual({ value: 128, next: 2 });
  expect(readVarint(Buffer.from('8001', 'hex'), 0)).toBeUndefined();
  expect(readVarint(Buffer.from('ffffffffffffffffff', 'hex'), 0)).toBeUndefined();
  expect(readVarint(Buffer.from('81', 'hex'), 0)).toBeUndefined();
});
