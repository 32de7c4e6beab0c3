import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

/** A queue with a job that has all three files, and an editor that records its arguments. */
async function newBench(): Promise<{ bench: Workbench; editor: string; record: string }> {
  const bench = new Workbench();
  const record = join(bench.directory, 'record');
  const editor = join(bench.directory, 'my editor');
  writeFileSync(editor, `#!/bin/sh\nprintf '%s\\n' "$@" >'${record}'\nexit 7\n`, { mode: 0o755 });
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '--stdin', 'cat'], { input: 'in\n' });
  await bench.must(['QUEUE', 'submit', '-q', '--stage', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  return { bench, editor, record };
}

test('the editor gets its arguments and the files of the job, and rq exits with its exit status', async () => {
  const { bench, editor, record } = await newBench();
  const stdin = (await bench.must(['QUEUE', 'stdin4', '1'])).trimEnd();
  const files = [stdin, join(bench.queue, 'stdout/1'), join(bench.queue, 'stderr/1')];
  expect(await bench.run(['QUEUE', 'ioview', '1', '-e', `'${editor}' -R 'a b'`])).toMatchObject({
    status: 7,
    stderr: '',
  });
  expect(readFileSync(record, 'utf8')).toBe(`${['-R', 'a b', ...files].join('\n')}\n`);
  await bench.run(['QUEUE', 'io', '1'], { environment: { RQ_EDITOR: `"${editor}"` } });
  expect(readFileSync(record, 'utf8')).toBe(`${files.join('\n')}\n`);
  expect(await bench.must(['QUEUE', 'ioview', '1', '--editor', 'cat'])).toBe('in\nin\n');
});

test('an editor ended by a signal gives the exit status of a shell', async () => {
  const { bench } = await newBench();
  expect(await bench.run(['QUEUE', 'ioview', '1', '-e', "sh -c 'kill -TERM $$'"])).toMatchObject({ status: 143 });
});

test('a missing editor, a job without files and a missing job are each reported in one line', async () => {
  const { bench, editor } = await newBench();
  const failures = [
    [['1', '--editor', '/no/editor -x'], 1, 'cannot run the editor /no/editor, which --editor names: no such program'],
    [
      ['1', '--editor', bench.queue],
      1,
      `cannot run the editor ${bench.queue}, which --editor names: permission denied`,
    ],
    [['2', '--editor', `'${editor}'`], 1, 'cannot open the files of job 2: the job has no stdin and has not started'],
    [['9', '--editor', `'${editor}'`], 3, 'no job 9 in'],
    [['1'], 2, `cannot open the files of job 1: stdout is not a terminal; use rq ${bench.queue} stdout 1`],
  ] as const;
  for (const [words, status, message] of failures) {
    const ended = await bench.run(['QUEUE', 'ioview', ...words]);
    expect({ words, status: ended.status, stdout: ended.stdout }).toEqual({ words, status, stdout: '' });
    expect(ended.stderr).toMatch(/^rq: [^\n]*\n$/);
    expect(ended.stderr).toContain(message);
  }
});
