import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pendingJobsByCommand } from '../../../src/store/changes.ts';
import { Connection } from '../../../src/store/connection.ts';

const INSERT = `INSERT INTO jobs (state, submitted, submitter, owner, cwd, tag, command)
  VALUES (?, 'x', 's', 'o', '/', ?, ?)`;
const ODD = 'echo "ü\\n" \'a\'\n\t😀';
let connection: Connection;

beforeEach(() => {
  connection = Connection.open(':memory:', { create: true, busyMs: 0 });
  connection.migrate();
});

afterEach(() => connection.close());

test.each([null, 'night'])('only the pending jobs with the tag %s and the commands are read', (tag) => {
  const commands = ['a', ODD, 'b', 'a', 'c', 'A', 'a '];
  for (const command of commands) connection.run(INSERT, ['pending', tag, command]);
  connection.run(INSERT, ['pending', 'other', 'a']);
  connection.run(INSERT, ['holding', tag, 'a']);
  const all = vi.spyOn(connection, 'all');
  const found = pendingJobsByCommand(connection, tag, new Set(['a', ODD, 'none']));
  expect([...found].map(([command, { jid }]) => [command, jid]).sort()).toEqual([
    ['a', 1],
    [ODD, 2],
  ]);
  expect(all.mock.results.map(({ value }) => (value as unknown[]).length)).toEqual([3]);
  all.mockRestore();
});
