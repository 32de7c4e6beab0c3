import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const SUBMITTERS = 3;

test('submits that are rolled back and run again leave every job its own files', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  // A reader blocks every commit. The transaction is rolled back after a while, and its jids are free again.
  const reader = bench.start([
    'QUEUE',
    'lock',
    'read',
    '--',
    'sh',
    '-c',
    'touch held; until [ -e go ]; do sleep 0.05; done',
  ]);
  await waitFor(() => readdirSync(bench.directory).includes('held'));
  let rollbacks = 0;
  const submits = Array.from({ length: SUBMITTERS }, (_, index) => {
    const data = join(bench.directory, `data${index}`);
    writeFileSync(data, `${index}\n`);
    const submit = bench.start(
      ['QUEUE', 'submit', '-q', '--stdin', `--data=${data}`, `echo ${index}; cat - "$RQ_DATA"`],
      {
        input: `${index}\n`,
        environment: { RQ_SQL_DEBUG: '1' },
      },
    );
    submit.child.stderr?.on('data', (text: string) => {
      rollbacks += text.split('sql: ROLLBACK').length - 1;
    });
    return submit;
  });
  await waitFor(() => rollbacks > SUBMITTERS, 60_000);
  writeFileSync(join(bench.directory, 'go'), '');
  expect((await reader.ended).status).toBe(0);
  for (const { ended } of submits) expect(await ended).toMatchObject({ status: 0 });
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const jobs = await bench.jobs();
  expect(jobs).toHaveLength(SUBMITTERS);
  for (const { jid, command } of jobs) {
    const index = String(command).slice('echo '.length, 'echo '.length + 1);
    expect(bench.stdout(Number(jid))).toBe(`${index}\n`.repeat(3));
  }
  // The file of each job, and the link to it.
  for (const folder of ['stdin', 'data']) expect(readdirSync(join(bench.queue, folder))).toHaveLength(2 * SUBMITTERS);
});
