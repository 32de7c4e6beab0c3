import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ReplacedFiles } from '../../../src/queue/files/replaced-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('a job that a change left out when it was run again keeps its file, and no other is left behind', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'stdin'));
  for (const jid of [1, 2]) writeFileSync(join(directory, 'stdin', String(jid)), `old ${jid}`);
  writeFileSync(join(directory, 'source'), 'new');
  const files = await ReplacedFiles.stage(directory, { stdin: join(directory, 'source') }, []);
  const owner = (jid: number): { jid: number; stdin: string; data: null } => ({
    jid,
    stdin: `stdin/${jid}`,
    data: null,
  });
  files.begin();
  files.place(owner(1));
  files.place(owner(2));
  // Rolled back, and job 1 was claimed meanwhile.
  files.begin();
  const { stdin } = files.place(owner(2));
  await files.clear(true);
  expect(readFileSync(join(directory, 'stdin/1'), 'utf8')).toBe('old 1');
  expect(readFileSync(join(directory, String(stdin)), 'utf8')).toBe('new');
  expect(readdirSync(join(directory, 'stdin')).sort()).toEqual(['1', String(stdin).slice('stdin/'.length)]);
});
