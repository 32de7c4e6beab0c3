import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RqError } from '../../../src/job/errors.ts';
import { exchange } from '../../../src/queue/exchange/exchange.ts';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import type { Queue } from '../../../src/queue/open.ts';
import { recoverQueue } from '../../../src/queue/recovery/recover.ts';
import type { Recovery } from '../../../src/queue/recovery/recovery.ts';
import { Connection, type Row } from '../../../src/store/connection.ts';
import { fillQueue, jobRows, pagesOfJobs } from '../../support/big-queue.ts';
import { type Damage, damageFile } from '../../support/damage.ts';
import { integrity, newQueue, submission } from '../../support/queue.ts';
import { seededRandom } from '../../support/random.ts';

const PAGE = 4096;
// The same each time, since of some ten thousand damages one cannot be told by anything (docs/transactions.md).
const SEED = Number(process.env['RQ_SEED'] ?? 1);
const DAMAGES = Number(process.env['RQ_DAMAGES'] ?? 200);
const quiet = (): void => undefined;

/** What there was before the damage. */
interface Original {
  readonly path: string;
  readonly rows: ReadonlyMap<number, Row>;
  readonly pages: ReadonlyMap<number, ReadonlySet<number>>;
  readonly trunks: ReadonlySet<number>;
}

function inspect(queue: Queue): Original {
  queue.close();
  const path = join(queue.directory, 'original');
  copyFileSync(queue.database, path);
  const connection = Connection.open(path, { readOnly: true, busyMs: 0 });
  const bytes = readFileSync(path);
  const trunks = new Set<number>();
  for (let trunk = bytes.readUInt32BE(32); trunk !== 0; trunk = bytes.readUInt32BE((trunk - 1) * PAGE))
    trunks.add(trunk);
  const original = { path, rows: jobRows(connection), pages: pagesOfJobs(connection), trunks };
  connection.close();
  expect(bytes.readUInt32BE(36)).toBeGreaterThan(20);
  return original;
}

function touchedPages({ start, end }: Damage): Set<number> {
  const first = Math.floor(start / PAGE) + 1;
  return new Set(Array.from({ length: Math.ceil(end / PAGE) - first + 1 }, (_, index) => first + index));
}

/** A row that ends where the damage begins may have been hit in its last bytes, for all that can be told. */
function mayBeDoubted(original: Original, jid: number, { start }: Damage): boolean {
  return start % PAGE !== 0 && start % PAGE < 8 && original.pages.get(jid)?.has(Math.floor(start / PAGE)) === true;
}

/** The jobs none of whose pages was touched; nobody can be asked for them where it is unknown which pages are free. */
function untouched(original: Original, damage: Damage): number[] {
  const touched = touchedPages(damage);
  if (touched.has(1) || [...original.trunks].some((trunk) => touched.has(trunk))) return [];
  return [...original.pages].filter(([, pages]) => [...pages].every((page) => !touched.has(page))).map(([jid]) => jid);
}

async function recover(queue: Queue): Promise<Recovery | undefined> {
  try {
    return await recoverQueue(queue, quiet);
  } catch (error) {
    if (error instanceof RqError && error.code === 'QUEUE_DAMAGED') return undefined;
    throw error;
  }
}

function keptFiles(queue: Queue): string[] {
  return readdirSync(queue.directory).filter((name) => name.startsWith('db.'));
}

test(`of databases damaged at ${DAMAGES} random places every row that is not is saved, and none that is wrong (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const queue = await newQueue();
  await fillQueue(queue, random);
  const original = inspect(queue);
  const tally: Record<string, number> = {};
  for (let index = 0; index < DAMAGES; index++) {
    copyFileSync(original.path, queue.database);
    const damage = damageFile(queue.database, random);
    const name = `${JSON.stringify(damage)}, number ${index} of seed ${SEED}`;
    const damaged = readFileSync(queue.database);
    const recovery = await recover(queue);
    const outcome = recovery?.damage ?? 'beyond repair';
    tally[`${damage.kind}: ${outcome}`] = (tally[`${damage.kind}: ${outcome}`] ?? 0) + 1;
    if (recovery === undefined) {
      expect(readFileSync(queue.database).equals(damaged), name).toBe(true);
      expect(keptFiles(queue), name).toEqual(['db.schema']);
      continue;
    }
    await check(queue, original, damage, recovery, name).catch((error: unknown) => {
      throw new Error(name, { cause: error });
    });
    if (recovery.kept !== null) {
      expect(readFileSync(recovery.kept).equals(damaged), name).toBe(true);
      rmSync(recovery.kept);
    }
    queue.close();
  }
  expect(Object.keys(tally).length).toBeGreaterThan(5);
}, 600_000);

async function check(
  queue: Queue,
  original: Original,
  damage: Damage,
  recovery: Recovery,
  name: string,
): Promise<void> {
  const connection = Connection.open(queue.database, { readOnly: true, busyMs: 0 });
  const rows = jobRows(connection);
  connection.close();
  for (const [jid, row] of rows) expect(row, `${jid}: ${name}`).toEqual(original.rows.get(jid));
  const missed = untouched(original, damage).filter((jid) => !rows.has(jid) && !mayBeDoubted(original, jid, damage));
  expect(missed, name).toEqual([]);
  expect(rows.size, name).toBe(recovery.saved);
  expect(
    [...recovery.lost, ...recovery.doubtful].filter((jid) => !original.rows.has(jid) || rows.has(jid)),
    name,
  ).toEqual([]);
  expect(await integrity(queue), name).toBe('ok');
  const { first } = await submitJobs(queue, [submission('echo next', { priority: 99 })]);
  expect(first, name).toBeGreaterThan(1_100);
  const by = { host: 'h', boot: 'b', journal: 'j' };
  const none = { starts: [], ends: [], releases: [] };
  const { claimed } = await exchange(queue, { claimant: by, ...none, claim: 1, mayRun: () => true });
  expect(
    claimed.map(({ jid }) => jid),
    name,
  ).toEqual([first]);
}
