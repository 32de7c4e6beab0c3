import { closeSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { NumberedFiles } from '../../../src/queue/files/numbered-files.ts';
import { RecordFile } from '../../../src/queue/files/record-file.ts';
import { listJobFiles } from '../../../src/queue/files/stored-names.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directoryOf = process.env['TMPDIR'];
afterEach(() => {
  if (directoryOf === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = directoryOf;
});

test('a file of records returns the records that were added after it was last cleared', () => {
  const directory = temporaryDirectory();
  process.env['TMPDIR'] = directory;
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.nat(90_000).map((length) => 'ü\n'.repeat(length)),
  );
  const value = fc.oneof(text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null));
  const records = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'tag'), value, { noNullPrototype: true }));
  fc.assert(
    fc.property(records, records, (first, second) => {
      const file = RecordFile.temporary<unknown>();
      for (const record of first) file.add(record);
      expect([...file.batches()].flat()).toEqual(plain(first));
      file.clear();
      for (const record of second) file.add(record);
      for (const _ of [1, 2]) expect([...file.batches()].flat()).toEqual(plain(second));
      expect(file.count).toBe(second.length);
      file.close();
    }),
    { numRuns: 50 },
  );
  expect(readdirSync(directory)).toEqual([]);
});

/** JSON has no negative zero. */
function plain(records: unknown): unknown {
  return JSON.parse(JSON.stringify(records));
}

test('a file of records has batches of a limited size', () => {
  const file = RecordFile.temporary<number>();
  const numbers = Array.from({ length: 50_000 }, (_, index) => index);
  for (const number of numbers) file.add(number);
  const batches = [...file.batches()];
  expect(batches.flat()).toEqual(numbers);
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThan(50_000);
  file.close();
});

test('the numbered files of a queue are those that a list of all files has', () => {
  const queue = temporaryDirectory();
  const names = [
    'stdout/1',
    'stdout/65535',
    'stdout/65536',
    'stderr/1',
    'data/900719925474099',
    'stdin/x',
    'stdin/8.a',
  ];
  for (const folder of ['stdin', 'stdout', 'stderr', 'data']) mkdirSync(join(queue, folder));
  for (const name of names) closeSync(openSync(join(queue, name), 'w'));
  const files = new NumberedFiles(queue);
  const listed = listJobFiles(queue);
  for (const folder of ['stdin', 'stdout', 'stderr', 'data']) {
    for (const jid of [1, 2, 8, 65_534, 65_535, 65_536, 65_537, 131_071, 131_072, 900_719_925_474_099]) {
      expect([folder, jid, files.mayExist(`${folder}/${jid}`)]).toEqual([folder, jid, listed.has(`${folder}/${jid}`)]);
    }
  }
  expect(files.mayExist('stdin/8.a')).toBe(true);
});
