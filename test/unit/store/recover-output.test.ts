import { join } from 'node:path';
import { expect, test } from 'vitest';
import { splitStatements } from '../../../src/queue/recovery/recover-program.ts';
import { Connection } from '../../../src/store/connection.ts';
import { Rebuild } from '../../../src/store/recovery/rebuild.ts';
import { Scratch } from '../../../src/store/recovery/scratch.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const NULLS = ', NULL, NULL, NULL, NULL, NULL';
const COLUMNS = Array.from({ length: 26 }, (_, index) => `c${index}`).join(', ');
const COMMAND = "echo ''it''s; one'';\nINSERT INTO jobs VALUES (1);\necho ü";

/** A row of `lost_and_found` as `.recover` prints a job. */
function lostJob({ root, jid, state = 'pending' }: { root: number; jid: number; state?: string }): string {
  return `INSERT INTO lost_and_found VALUES(${root}, 18, 26, ${jid}, NULL, 0, '${state}', '2026-01-01T00:00:00.000Z', NULL, NULL, NULL, 'h', 'o'${NULLS}, 0, 'tag', 0, NULL, '/'${NULLS.slice(6)}, '${COMMAND}', NULL, NULL);\n`;
}

/** The root page of a table or an index in a new database. */
function rootOf(name: string): number {
  const connection = Connection.open(':memory:', { create: true, busyMs: 0 });
  connection.migrate();
  const row = connection.get('SELECT rootpage FROM sqlite_schema WHERE name = ?', [name]);
  connection.close();
  return Number(row?.['rootpage']);
}

/** The output of SQLite 3.44 for a database whose first page is damaged. */
const OUTPUT = [
  'BEGIN;\nPRAGMA writable_schema = on;\n',
  `CREATE TABLE lost_and_found(rootpgno INTEGER, pgno INTEGER, nfield INTEGER, id INTEGER, ${COLUMNS});\n`,
  `INSERT INTO lost_and_found VALUES(${rootOf('jobs_by_state')}, 45, 2, NULL, 'pending', 5${', NULL'.repeat(24)});\n`,
  `INSERT INTO lost_and_found VALUES(${rootOf('sqlite_sequence')}, 3, 2, 1, 'jobs', 400${', NULL'.repeat(24)});\n`,
  lostJob({ root: 2, jid: 4 }),
  lostJob({ root: 30, jid: 5 }),
  lostJob({ root: 31, jid: 9 }),
  lostJob({ root: 2, jid: 10, state: 'nonsense' }),
  `INSERT INTO lost_and_found VALUES(${rootOf('arrays')}, 70, 5, 4, NULL, 3, 8, NULL, NULL${', NULL'.repeat(21)});\n`,
  'COMMIT;\n',
].join('');

async function* inPieces(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

test('the output of sqlite3 is split into statements at any chunk borders, and text may contain newlines', async () => {
  const statements: string[] = [];
  for await (const statement of splitStatements(inPieces(OUTPUT))) statements.push(statement);
  expect(statements.map((statement) => statement.slice(0, 6))).toEqual(['CREATE', ...Array(7).fill('INSERT')]);
  expect(statements[3]).toContain(COMMAND);
});

test('rows without a table are saved if they belong to the tree of jobs or to an entry of its index', async () => {
  const directory = temporaryDirectory();
  const target = Connection.open(join(directory, 'db'), { create: true, busyMs: 0 });
  target.migrate();
  const scratch = Scratch.create(join(directory, 'scratch'), target);
  for await (const statement of splitStatements(inPieces(OUTPUT))) scratch.add(statement);
  scratch.assignLostRows({ isFreelistKnown: false });
  scratch.close();
  const rebuild = new Rebuild(target, { jidsOfFiles: new Set(), generation: 7, refresh: () => undefined });
  rebuild.addScratch(join(directory, 'scratch'));
  const { saved, doubtful, lost } = rebuild.finish();
  expect({ saved, doubtful, lost }).toEqual({ saved: 2, doubtful: new Set([10]), lost: new Set() });
  expect(target.all('SELECT jid, command FROM jobs').map(({ jid, command }) => [jid, command])).toEqual([
    [4, COMMAND.replaceAll("''", "'")],
    [5, COMMAND.replaceAll("''", "'")],
  ]);
  expect(target.all('SELECT array, tasks, at_most FROM arrays')).toEqual([{ array: 4, tasks: 3, at_most: 8 }]);
  expect(target.get('SELECT seq FROM sqlite_sequence')).toEqual({ seq: 400 });
  target.close();
});
