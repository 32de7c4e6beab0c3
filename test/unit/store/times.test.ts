import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { parseSelection } from '../../../src/cli/input/selection.ts';
import { queryExpression } from '../../../src/cli/input/sql-terms.ts';
import { executeSql } from '../../../src/queue/jobs/execute.ts';
import { queryJobs } from '../../../src/queue/jobs/query.ts';
import { selectJobs } from '../../../src/queue/jobs/select.ts';
import type { Queue } from '../../../src/queue/open.ts';
import { transaction } from '../../../src/queue/transaction/transaction.ts';
import { REFUSED, SELECTED } from '../../fixtures/time-conditions.ts';
import { newQueue } from '../../support/queue.ts';

const HOUR_MS = 3_600_000;
const ADD = `INSERT INTO jobs (jid, state, submitted, started, finished, submitter, owner, runner, exit_status, attempt, tag,
  cwd, command) VALUES (:jid, :state, :submitted, :started, :finished, 'n1', 'ada', :runner, :exit_status, :attempt, :tag, '/',
  'echo 2026-11-28 22:51')`;

/** Evaluates expressions for each job, and prints the lists of jids. */
const PYTHON = `
import json, sys
from datetime import datetime, timedelta, timezone
UTC = timezone.utc
given = json.load(sys.stdin)
utc = lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC)
local = lambda text: datetime.fromisoformat(text).astimezone()
ago = lambda seconds: utc(given['now'][:-1]) - timedelta(seconds=seconds)
for job in given['jobs']:
    for name in ('submitted', 'started', 'finished'):
        job[name] = job[name] and utc(job[name][:-1])
all_started = [job['started'] for job in given['jobs']]
def selects(code, job):
    try:
        return eval(code, globals(), job)
    except (TypeError, AttributeError):
        if None in (job['started'], job['finished']): return False
        raise
print(json.dumps([[job['jid'] for job in given['jobs'] if selects(compile(text, text, 'eval'), dict(job))]
                  for text in given['expressions']]))
`;
const hasPython = spawnSync('python3', ['-c', 'import datetime']).status === 0;
const skipped = hasPython ? '' : ' (skipped: python3 is not installed)';

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

/** The borders of the conditions, some times around each, and times before now. */
function times(now: string): string[] {
  const borders = ['2026-03-29', '2026-07-01', '2026-10-25', '2026-11-28', '2026-11-29'].map((day) => Date.parse(day));
  const hours = Array.from({ length: 52 }, (_, index) => (index - 26) * (HOUR_MS / 2));
  const exact = ['22:51:00.000', '22:51:00.250', '17:21:00.000', '21:51:00.500', '00:00:00.001'].map((time) =>
    Date.parse(`2026-11-28T${time}Z`),
  );
  const ago = [0.01, 0.05, 1, 1.9, 2.1, 23, 25, 71, 73].map((hour) => Date.parse(now) - hour * HOUR_MS);
  const all = [...borders.flatMap((at) => hours.map((ms) => at + ms)), ...exact, ...ago];
  return all.map((ms) => new Date(ms).toISOString());
}

function jobs(now: string): Record<string, string | number | null>[] {
  return times(now).map((time, index) => {
    const isPending = index % 7 === 3;
    const finished = new Date(Date.parse(time) + (index % 3) * (HOUR_MS / 2 + 250)).toISOString();
    return {
      jid: index + 1,
      state: isPending ? 'pending' : 'finished',
      submitted: time,
      started: isPending ? null : time,
      finished: isPending ? null : finished,
      runner: isPending ? null : 'n1',
      exit_status: isPending ? null : 0,
      attempt: isPending ? 0 : 1,
      tag: index % 2 === 0 ? '2026-11-28' : null,
    };
  });
}

async function queueOf(rows: readonly Record<string, string | number | null>[]): Promise<Queue> {
  const queue = await newQueue();
  await transaction(queue, ({ connection }) => {
    for (const row of rows) connection.run(ADD, row);
  });
  return queue;
}

async function selected(queue: Queue, ...words: string[]): Promise<number[]> {
  const jids: number[] = [];
  for await (const batch of queryJobs(queue, queryExpression(words))) jids.push(...batch.map(({ jid }) => jid));
  return jids;
}

function inPython(rows: unknown, now: string): number[][] {
  const input = JSON.stringify({ jobs: rows, now, expressions: SELECTED.map(([, python]) => python) });
  const { stdout, stderr } = spawnSync('python3', ['-c', PYTHON], { input, encoding: 'utf8', env: process.env });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as number[][];
}

test.skipIf(!hasPython).each(['Asia/Kolkata', 'Europe/Berlin', 'America/St_Johns', 'UTC'])(
  `conditions on times select the same jobs as in Python, in the zone %s${skipped}`,
  async (name) => {
    process.env['TZ'] = name;
    const now = new Date().toISOString();
    const rows = jobs(now);
    const queue = await queueOf(rows);
    const expected = inPython(rows, now);
    for (const [index, [sql]] of SELECTED.entries()) {
      expect({ sql, jids: await selected(queue, sql) }).toEqual({ sql, jids: expected[index] });
      expect({ sql, count: expected[index]?.length }).not.toEqual({ sql, count: 0 });
      expect({ sql, count: expected[index]?.length }).not.toEqual({ sql, count: rows.length });
    }
    queue.close();
  },
);

test.each(REFUSED)('the condition %j is refused', async (sql, message) => {
  const queue = await queueOf(jobs(new Date().toISOString()));
  await expect(selected(queue, sql)).rejects.toThrow(message);
  await expect(selected(queue, sql)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  queue.close();
});

describe('key=value', () => {
  const NOW = '2026-12-01T00:00:00.000Z';

  test.each([
    ['started=2026-11-28', "started >= '2026-11-28' and started < '2026-11-29'"],
    ['started=2026-10-25', "started >= '2026-10-25' and started < '2026-10-26'"],
    ['started!=2026-11-28', "started < '2026-11-28' or started >= '2026-11-29'"],
    ['started==2026-11-28T22:51', "started >= '2026-11-28 22:51' and started < '2026-11-28 22:52'"],
    ['started=2026-11-28T22:51:00Z', "started >= '2026-11-28 22:51:00Z' and started < '2026-11-28 22:51:01Z'"],
    ['started=2026-11-28T22:51:00.250Z', "started = '2026-11-28 22:51:00.250Z'"],
  ])('%s selects the whole period that the value names', async (term, sql) => {
    process.env['TZ'] = 'Europe/Berlin';
    const queue = await queueOf(jobs(NOW));
    const jids = await selected(queue, sql);
    expect(jids.length).toBeGreaterThan(0);
    expect(await selected(queue, term)).toEqual(jids);
    if (!term.includes('!')) {
      const pages: number[] = [];
      for await (const page of selectJobs(queue, parseSelection([term.replace('==', '=')]))) {
        pages.push(...page.map(({ jid }) => jid));
      }
      expect(pages).toEqual(jids);
    }
    queue.close();
  });

  test('with other operators compares with one time', async () => {
    process.env['TZ'] = 'Europe/Berlin';
    const queue = await queueOf(jobs(NOW));
    expect(await selected(queue, 'started>=2026-11-28', 'started<2026-11-29')).toEqual(
      await selected(queue, 'started=2026-11-28'),
    );
    expect(await selected(queue, 'submitted<-1s')).toEqual(await selected(queue, "submitted < '-1s'"));
    await expect(selected(queue, 'started=~2026-11-28%')).rejects.toThrow('matches a time with a pattern');
    queue.close();
  });

  test.each([
    ['started=yesterday', "'yesterday' is not a time; give '2026-11-28 22:51:00'"],
    ['started=-2h', 'such as started>=-2h'],
    ['submitted=1790000000', 'is not a time'],
  ])('%s is refused in a selection and in a query', (word, message) => {
    expect(() => parseSelection([word])).toThrow(message);
    expect(() => queryExpression([word])).toThrow(message);
  });
});

test.each([
  ['Europe/Berlin', '2026-10-25 02:30:00'],
  ['Europe/Berlin', '2026-03-29 02:00:00'],
  ['Africa/Cairo', '2026-04-24'],
])('in the zone %s, the local time %s, which occurs twice or never, is refused', async (name, time) => {
  process.env['TZ'] = name;
  const queue = await newQueue();
  await expect(selected(queue, `started >= '${time}'`)).rejects.toThrow('occurs twice or never in the local time zone');
  expect(await selected(queue, `started >= '${time.slice(0, 10)} 12:00+01:00'`)).toEqual([]);
  queue.close();
});

describe('execute', () => {
  const NOW = '2026-12-01T00:00:00.000Z';
  const execute = async (queue: Queue, sql: string): Promise<unknown> => await executeSql(queue, sql);

  test('compares times as a query does', async () => {
    process.env['TZ'] = 'America/St_Johns';
    const queue = await queueOf(jobs(NOW));
    const jids = await selected(queue, "started >= '2026-11-28 22:51:00'");
    const found = "from jobs where started >= '2026-11-28 22:51:00'";
    expect(await execute(queue, `select count(*) as n, 'x' started ${found}`)).toMatchObject({
      rows: [{ n: jids.length }],
    });
    expect(await execute(queue, `update jobs set priority = 7, note = started ${found.slice(10)}`)).toEqual({
      changes: jids.length,
    });
    expect(await execute(queue, `with late as (select * ${found}) select count(*) as n from late`)).toEqual({
      rows: [{ n: jids.length }],
    });
    expect(await execute(queue, `delete ${found}`)).toEqual({ changes: jids.length });
    await expect(execute(queue, "delete from jobs where finished < 'now'")).rejects.toThrow(
      "cannot execute: 'now' is not",
    );
    await expect(execute(queue, "update jobs set started = '2026-11-28'")).rejects.toThrow('one millisecond');
    queue.close();
  });

  test('refuses a comparison if a table of the user has a column with the name of a time', async () => {
    const queue = await queueOf(jobs(NOW));
    await execute(queue, 'create table mine (started text, x)');
    await execute(queue, "insert into mine values ('2026-11-28 22:51:00', 1)");
    const sql = (time: string): string => `select x from mine where started >= '${time}'`;
    await expect(execute(queue, sql('2026-11-28 22:51:00'))).rejects.toThrow('the table mine also has a column');
    expect(await execute(queue, sql('2026-11-28T22:51:00.000Z'))).toEqual({ rows: [] });
    queue.close();
  });
});
