import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import type { Queue } from '../../../src/queue/open.ts';
import { recoverQueue } from '../../../src/queue/recovery/recover.ts';
import { Connection, type Row } from '../../../src/store/connection.ts';
import { fillQueue, type JobPages, jobRows, pagesOfJobs } from '../../support/big-queue.ts';
import { zeroPage } from '../../support/damage.ts';
import { integrity, newQueue, submission } from '../../support/queue.ts';
import { seededRandom } from '../../support/random.ts';
import { hideRecoverProgram, whyNoRecoverProgram } from '../../support/recover-program.ts';

const PAGE = 4096;
const FIRST_LONG = 1_101;
/** Where the header of the database has the number of free pages. */
const FREELIST_COUNT = 36;
const ROOT_OF_TAGS = "SELECT rootpage FROM sqlite_schema WHERE name = 'jobs_by_tag'";

let queue: Queue;
let rows: Map<number, Row>;
let pages: Map<number, JobPages>;
let messages: string[];

beforeEach(async () => {
  queue = await newQueue();
  await fillQueue(queue, seededRandom(1));
  await submitJobs(queue, [submission(`echo ${'long '.repeat(4_000)}`)]);
  queue.close();
  rows = inspect(jobRows);
  pages = inspect(pagesOfJobs);
  messages = [];
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function inspect<T>(work: (connection: Connection) => T): T {
  const connection = Connection.open(queue.database, { readOnly: true, busyMs: 0 });
  try {
    return work(connection);
  } finally {
    connection.close();
  }
}

/** Recovers, and checks that all these jobs are saved as they were, that the jids add up and are not reused. */
async function recoverAndCheck(expected: readonly number[]): ReturnType<typeof recoverQueue> {
  const damaged = readFileSync(queue.database);
  const recovery = await recoverQueue(queue, (line) => messages.push(line));
  const saved = inspect(jobRows);
  for (const [jid, row] of saved) expect(row).toEqual(rows.get(jid));
  expect(expected.filter((jid) => !saved.has(jid))).toEqual([]);
  expect(recovery.saved).toBe(saved.size);
  expect(readFileSync(recovery.kept ?? '').equals(damaged)).toBe(true);
  expect(await integrity(queue)).toBe('ok');
  expect((await submitJobs(queue, [submission('true')])).first).toBeGreaterThan(FIRST_LONG);
  queue.close();
  return recovery;
}

/** Jobs whose rows, and the pages above them, are on pages that a condition holds for. */
function jobsOn(isIntact: (page: number) => boolean): number[] {
  return [...pages].filter(([, { own, above }]) => [...own, ...above].every(isIntact)).map(([jid]) => jid);
}

function leafOf(jid: number): number {
  return [...(pages.get(jid)?.own ?? [])][0] ?? 0;
}

const programs = [
  ['without sqlite3', false],
  [`with sqlite3${whyNoRecoverProgram === undefined ? '' : ` (skipped: ${whyNoRecoverProgram})`}`, true],
] as const;

describe.each(programs)('%s', (_, withProgram) => {
  beforeEach(({ skip }) => {
    if (withProgram) skip(whyNoRecoverProgram !== undefined, whyNoRecoverProgram);
    else hideRecoverProgram();
  });

  test('one page of jobs overwritten: all other jobs are saved, and the lost jids are named', async () => {
    const page = leafOf(100);
    zeroPage(queue.database, page);
    const { damage, lost, doubtful } = await recoverAndCheck(jobsOn((each) => each !== page));
    const onPage = [...pages].filter(([, { own }]) => own.has(page)).map(([jid]) => jid);
    expect({ damage, lost, doubtful }).toEqual({ damage: 'rows', lost: onPage, doubtful: [] });
  });

  test('a damaged index: all jobs are saved', async () => {
    const root = inspect((connection) => Number(connection.get(ROOT_OF_TAGS)?.['rootpage']));
    zeroPage(queue.database, root);
    const { damage, lost, doubtful } = await recoverAndCheck([...rows.keys()]);
    expect({ damage, lost, doubtful }).toEqual({ damage: 'indexes', lost: [], doubtful: [] });
  });

  test('a wrong number of free pages: all jobs are saved, and no row or index is called damaged', async () => {
    const file = readFileSync(queue.database);
    file.writeUInt32BE(7, FREELIST_COUNT);
    writeFileSync(queue.database, file);
    const { damage, lost, doubtful } = await recoverAndCheck([...rows.keys()]);
    expect({ damage, lost, doubtful }).toEqual({ damage: 'structure', lost: [], doubtful: [] });
  });

  test('a file truncated at two thirds: all jobs before that point are saved', async () => {
    const size = Math.floor((statSync(queue.database).size * 2) / 3);
    truncateSync(queue.database, size);
    const { damage, saved } = await recoverAndCheck(jobsOn((page) => page * PAGE <= size));
    expect(damage).toBe('rows');
    expect(saved).toBeGreaterThan(100);
  });

  test('a damaged schema: sqlite3 reads the jobs; without it nothing changes', async () => {
    zeroPage(queue.database, 1);
    const damaged = readFileSync(queue.database);
    if (withProgram) {
      const { damage, lost } = await recoverAndCheck([...rows.keys()]);
      expect({ damage, lost }).toEqual({ damage: 'rows', lost: [] });
      return;
    }
    await expect(recoverQueue(queue, (line) => messages.push(line))).rejects.toMatchObject({
      code: 'QUEUE_DAMAGED',
      message: expect.stringContaining('install sqlite3 with ".recover"'),
    });
    expect(messages).toContainEqual(expect.stringContaining('no sqlite3'));
    expect(readFileSync(queue.database).equals(damaged)).toBe(true);
    expect(readdirSync(queue.directory).filter((name) => name.startsWith('db.'))).toEqual(['db.schema']);
  });

  test('damage in overflow pages: a job whose text is cut is lost, one with invalid text is doubtful', async () => {
    const chain = [...(pages.get(FIRST_LONG)?.own ?? [])].slice(1);
    const others = [...rows.keys()].filter((jid) => jid !== FIRST_LONG);
    const intact = readFileSync(queue.database);
    zeroPage(queue.database, chain[0] ?? 0);
    expect(await recoverAndCheck(others)).toMatchObject({ damage: 'rows', lost: [FIRST_LONG], doubtful: [] });
    writeFileSync(queue.database, intact);
    zeroPage(queue.database, chain.at(-1) ?? 0);
    expect(await recoverAndCheck(others)).toMatchObject({ damage: 'rows', lost: [], doubtful: [FIRST_LONG] });
  });
});

test('tables of the user are not saved, and named', async () => {
  const connection = Connection.open(queue.database, { busyMs: 0 });
  connection.execute('CREATE TABLE notes (jid, text)');
  connection.close();
  zeroPage(queue.database, leafOf(100));
  await recoverAndCheck([]);
  expect(messages).toContainEqual('did not save an object that rq did not create: table notes');
});
