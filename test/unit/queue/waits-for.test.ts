import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { selectJobs } from '../../../src/queue/jobs/select.ts';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import { WaitsFor } from '../../../src/queue/jobs/why/waits-for.ts';
import type { Queue } from '../../../src/queue/open.ts';
import { transaction } from '../../../src/queue/transaction/transaction.ts';
import { shapeJobs } from '../../../src/store/claim/shapes.ts';
import { newQueue, submission } from '../../support/queue.ts';

const ALL = { all: true, ranges: [], states: [], pairs: [] };
const DUE = '2999-12-01T22:00:00.000Z';
const RUN = `UPDATE jobs SET state = 'running', started = submitted, runner = 'n1', boot = 'b', journal = 'j', attempt = 1,
  claim = 1 WHERE jid = ?`;

type Fields = Parameters<typeof submission>[1];

async function execute(queue: Queue, ...statements: string[]): Promise<void> {
  await transaction(queue, ({ connection }) => {
    for (const sql of statements) connection.execute(sql);
  });
}

/** Adds a job and changes its row. Returns its jid. */
async function add(queue: Queue, fields: Fields = {}, set = 'priority = 0'): Promise<number> {
  const { first } = await submitJobs(queue, [submission('true', fields)]);
  await execute(queue, `UPDATE jobs SET ${set} WHERE jid = ${first}`);
  return first;
}

/** The field `waits_for` of each job that has it. */
async function waits(queue: Queue): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for await (const jobs of selectJobs(queue, ALL, new WaitsFor(queue))) {
    for (const job of jobs) {
      const text = (job as { waits_for?: string }).waits_for;
      if (text !== undefined) found.set(job.jid, text);
    }
  }
  return found;
}

/** Adds a host that feeds, and one that has been silent for years. */
function addHosts(queue: Queue): void {
  writeFileSync(join(queue.directory, 'nodes/n1'), '---\nhost: n1\ncpus: 8\n');
  const silent = join(queue.directory, 'nodes/n7');
  writeFileSync(silent, '---\nhost: n7\ncpus: 64\n');
  utimesSync(silent, 1, 1);
}

test('a pending job has the field waits_for with everything besides its turn and a free place', async () => {
  const queue = await newQueue();
  addHosts(queue);
  await execute(
    queue,
    "INSERT INTO lanes VALUES ('full', 1, NULL), ('paused', NULL, 1)",
    "INSERT INTO arrays VALUES (50, 9, 1, NULL, NULL), (60, 9, NULL, 2, '2026-01-01T00:00:00.000Z')",
    'INSERT INTO gates (gate) VALUES (1), (2)',
  );
  const running = await add(queue, { lanes: 'full' }, 'array = 50');
  await transaction(queue, ({ connection }) => {
    shapeJobs(connection, 1);
    connection.run(RUN, [running]);
  });
  const dead = await add(queue, {}, "state = 'dead', reason = 'lost', finished = submitted");
  await execute(queue, `INSERT INTO needs VALUES (${running}, 1, 'ok'), (${running}, 2, 'any'), (${dead}, 2, 'ok')`);
  const expected = new Map<number, string>();
  const expectWait = async (text: string, fields?: Fields, set?: string): Promise<void> => {
    expected.set(await add(queue, fields, set), text);
  };
  await expectWait('lane full', { lanes: 'full' });
  await expectWait('lane paused', { lanes: 'paused' });
  await expectWait('lane full; lane paused', { lanes: 'paused,full' });
  await expectWait('array 50', {}, 'array = 50');
  await expectWait('array 60 (stopped)', {}, 'array = 60');
  await expectWait(`due ${DUE}`, { due: DUE });
  await expectWait(`${running}`, { after: `${running}` }, 'gate = 1');
  await expectWait(`${dead} (failed), ${running}`, { after: `any:${running}` }, 'gate = 2');
  await expectWait(`${running}; due ${DUE}; host n7`, { after: `${running}`, due: DUE, runners: 'n7' }, 'gate = 1');
  await expectWait('host n9', { runners: 'n9' });
  await expectWait('a host with 9 cpus', { cpus: 9 });
  await expectWait('a host with 16 cpus and 2 GPUs', { cpus: 16, gpus: 2 });
  await add(queue);
  await add(queue, { cpus: 8, lanes: 'other', runners: 'n1' });
  await add(queue, { due: '2000-01-01T00:00:00.000Z' });
  await add(queue, { lanes: 'paused' }, "state = 'holding'");
  expect(await waits(queue)).toEqual(expected);
  queue.close();
});

test('max_per_user keeps all pending jobs of an owner', async () => {
  const queue = await newQueue();
  const [running, waiting] = [await add(queue), await add(queue)];
  await transaction(queue, ({ connection }) => connection.run(RUN, [running]));
  expect(await waits(queue)).toEqual(new Map());
  await execute(queue, "INSERT INTO attributes VALUES ('max_per_user', '1')");
  expect(await waits(queue)).toEqual(new Map([[waiting, 'max_per_user']]));
  queue.close();
});
