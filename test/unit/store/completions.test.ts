import { afterEach, beforeEach, expect, test } from 'vitest';
import { newestBeginningWith, tagsBeginningWith } from '../../../src/store/completions.ts';
import { Connection } from '../../../src/store/connection.ts';

let connection: Connection;

beforeEach(() => {
  connection = Connection.open(':memory:', { create: true, busyMs: 0 });
  connection.migrate();
});

afterEach(() => connection.close());

function add(jid: number, tag: string | null): void {
  connection.run(
    "INSERT INTO jobs (jid, state, submitted, submitter, owner, cwd, tag, command) VALUES (?, 'pending', '', '', '', '/', ?, 'x')",
    [jid, tag],
  );
}

test('tags are found by their beginning, each once, in order', () => {
  for (const [index, tag] of ['night', 'nigh', null, 'night', 'Night', 'née', 'night2', 'o'].entries()) {
    add(index + 1, tag);
  }
  expect(tagsBeginningWith(connection, 'nigh', 10)).toEqual(['nigh', 'night', 'night2']);
  expect(tagsBeginningWith(connection, 'né', 10)).toEqual(['née']);
  expect(tagsBeginningWith(connection, '', 3)).toEqual(['Night', 'nigh', 'night']);
  expect(tagsBeginningWith(connection, 'x', 3)).toEqual([]);
});

test('jids are found by the digits that they begin with, the newest first', () => {
  for (const jid of [1, 4, 14, 40, 41, 399, 400, 4000, 5000]) add(jid, null);
  const found = (digits: string, limit = 100): number[] =>
    newestBeginningWith(connection, digits, limit).map(({ jid }) => jid);
  expect(found('4')).toEqual([4000, 400, 41, 40, 4]);
  expect(found('4', 2)).toEqual([4000, 400]);
  expect(found('', 2)).toEqual([5000, 4000]);
  expect(found('0')).toEqual([]);
  expect(found('40')).toEqual([4000, 400, 40]);
  expect(found('9'.repeat(20))).toEqual([]);
});
