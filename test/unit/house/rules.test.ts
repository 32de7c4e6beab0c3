import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAX_LINES = 300;

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

test('no file is longer than 300 lines', () => {
  const lengths = [...sources('src'), ...sources('test')].map((file) => {
    return [file, readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1] as const;
  });
  expect(lengths.filter(([, lines]) => lines > MAX_LINES)).toEqual([]);
});

test.each([
  [
    'src/store/planted.ts',
    "import { transaction } from '../queue/transaction.ts';\n\nexport const planted = transaction;\n",
  ],
  ['src/queue/planted.ts', "import { run } from '../cli/modes/list.ts';\n\nexport const planted = run;\n"],
  ['src/runner/planted.ts', "import { openQueue } from '../queue/open.ts';\n\nexport const planted = openQueue;\n"],
  ['src/cron/planted.ts', "import { feed } from '../feeder/feed.ts';\n\nexport const planted = feed;\n"],
  ['src/feeder/planted.ts', "import { cronLine } from '../cron/lines.ts';\n\nexport const planted = cronLine;\n"],
  ['src/feeder/planted.ts', "import { problem } from '../doctor/finding.ts';\n\nexport const planted = problem;\n"],
  ['src/doctor/planted.ts', "import { run } from '../cli/modes/list.ts';\n\nexport const planted = run;\n"],
  [
    'src/doctor/planted.ts',
    "import { Connection } from '../store/connection.ts';\n\nexport const planted = Connection;\n",
  ],
  ['src/job/planted.ts', "import { openLog } from '../log/logger.ts';\n\nexport const planted = openLog;\n"],
  ['src/queue/planted.ts', "import Database from 'better-sqlite3';\n\nexport const planted = Database;\n"],
  ['src/feeder/planted.ts', "import { lock } from 'proper-lockfile';\n\nexport const planted = lock;\n"],
])('an import that goes up fails the lint: %s', (file, text) => {
  const copy = temporaryDirectory();
  cpSync(join(ROOT, 'biome.json'), join(copy, 'biome.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, file, '..'), { recursive: true });
  writeFileSync(join(copy, file), text);
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/biome'), ['lint', 'src'], {
    cwd: copy,
    encoding: 'utf8',
  });
  expect(stdout + stderr).toContain('noRestrictedImports');
  expect(status).toBe(1);
});
