import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

const NOTE = 'first line\nsecond: "line" # 2';

async function benchWithNotes(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '--tag=a', '--note', NOTE, 'true']);
  await bench.must(['QUEUE', 'submit', 'true']);
  return bench;
}

test('submit --note sets the note of a job, and list prints it after the tag', async () => {
  const bench = await benchWithNotes();
  expect(await bench.jobs('1')).toMatchObject([{ jid: 1, note: NOTE }]);
  const fields = Object.keys((await bench.jobs('1'))[0] ?? {});
  expect(fields.indexOf('note')).toBe(fields.indexOf('tag') + 1);
  expect(await bench.must(['QUEUE', 'list', '2', '--fields', 'note'])).toContain('note: null');
});

test('update changes and clears a note, and key=value selects by it', async () => {
  const bench = await benchWithNotes();
  await bench.must(['QUEUE', 'update', '2', 'note=try again']);
  expect((await bench.jobs('note=try again')).map(({ jid }) => jid)).toEqual([2]);
  await bench.must(['QUEUE', 'update', '2', 'note=null']);
  expect((await bench.jobs('note=null')).map(({ jid }) => jid)).toEqual([2]);
});

test('a printed job that is submitted again keeps its note', async () => {
  const bench = await benchWithNotes();
  const printed = await bench.must(['QUEUE', 'list', '1']);
  await bench.must(['QUEUE', 'submit', '-'], { input: printed });
  expect(await bench.jobs('3')).toMatchObject([{ jid: 3, note: NOTE }]);
});

test('a note longer than 65,536 bytes is refused in one line', async () => {
  const bench = await benchWithNotes();
  const { status, stderr } = await bench.run(['QUEUE', 'submit', `--note=${'x'.repeat(65_537)}`, 'true']);
  expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, lines: 1 });
  expect(stderr).toContain('note is longer than 65536 bytes');
  expect(await bench.jobs()).toHaveLength(2);
});

test('a job finds its note in RQ_NOTE, and a rotation keeps the note', async () => {
  const bench = await benchWithNotes();
  await bench.must(['QUEUE', 'submit', '--note', 'for the job', 'echo "$RQ_NOTE"']);
  await bench.must(['QUEUE', 'feed', '--until-empty', '-v1']);
  expect(bench.stdout(3)).toBe('for the job\n');
  await bench.must(['QUEUE', 'rotate', 'done']);
  const rotated = JSON.parse(await bench.must([join(bench.directory, 'done'), 'list', '--json'])) as unknown[];
  expect(rotated).toMatchObject([{ jid: 1, note: NOTE }, { jid: 2 }, { jid: 3, note: 'for the job' }]);
});

test('recover saves the notes of the jobs that can be read', async () => {
  const bench = await benchWithNotes();
  const lines = Array.from({ length: 500 }, (_, index) => `echo ${index} ${'x'.repeat(100)}`).join('\n');
  await bench.must(['QUEUE', 'submit', '-q', '--note', 'many', '-'], { input: lines });
  const database = join(bench.queue, 'db');
  truncateSync(database, Math.floor((statSync(database).size * 2) / 3));
  await bench.must(['QUEUE', 'recover', '--json', '-v1']).catch(() => undefined);
  expect(await bench.jobs('1')).toMatchObject([{ jid: 1, note: NOTE }]);
  expect((await bench.jobs('note=many')).length).toBeGreaterThan(10);
});
