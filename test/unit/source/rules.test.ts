import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAX_LINES = 300;
const MAX_FILES = 20;

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

test('no folder of src has more than 20 files of its own', () => {
  const counts = new Map<string, number>();
  for (const file of sources('src')) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > MAX_FILES)).toEqual([]);
});

/** Runs dependency-cruiser with the project's rules on a copy of the sources that holds one more file. */
function checkWith(file: string, text: string): { status: number | null; output: string } {
  const copy = temporaryDirectory();
  for (const name of ['node_modules', 'package.json', '.dependency-cruiser.json']) {
    symlinkSync(join(ROOT, name), join(copy, name));
  }
  cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
  mkdirSync(join(copy, dirname(file)), { recursive: true });
  writeFileSync(join(copy, file), text);
  const program = join(ROOT, 'node_modules/.bin/depcruise');
  const { status, stdout, stderr } = spawnSync(program, ['src', '--config', '.dependency-cruiser.json'], {
    cwd: copy,
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

test.each([
  ['job-imports-nothing', 'src/job/planted.ts', '../log/logger.ts'],
  ['base-layers-import-only-job', 'src/store/planted.ts', '../queue/open.ts'],
  ['base-layers-import-only-job', 'src/yaml/planted.ts', '../store/connection.ts'],
  ['queue-imports-base-layers', 'src/queue/planted.ts', '../feeder/feed.ts'],
  ['runner-imports-job-and-log', 'src/runner/planted.ts', '../queue/open.ts'],
  ['feeder-imports-queue-and-runner', 'src/feeder/planted.ts', '../cron/lines.ts'],
  ['cron-imports-job', 'src/cron/planted.ts', '../feeder/feed.ts'],
  ['doctor-is-below-cli', 'src/doctor/planted.ts', '../cli/run.ts'],
  ['cli-uses-no-store', 'src/cli/planted.ts', '../store/connection.ts'],
  ['only-store-imports-better-sqlite3', 'src/queue/planted.ts', 'better-sqlite3'],
  ['only-lease-imports-proper-lockfile', 'src/feeder/planted.ts', 'proper-lockfile'],
  ['only-cli-imports-yargs', 'src/feeder/planted.ts', 'yargs'],
  ['only-yaml-imports-yaml', 'src/cli/planted.ts', 'yaml'],
])('the rule %s refuses an import in %s', (rule, file, target) => {
  const { status, output } = checkWith(file, `import * as planted from '${target}';\n\nexport const used = planted;\n`);
  expect(output).toContain(`${rule}: ${file}`);
  expect(status).not.toBe(0);
});

test('the rule no-cycles refuses two files that import each other', () => {
  const { status, output } = checkWith(
    'src/job/planted.ts',
    "import { self } from './planted.ts';\nexport const selfAgain = self;\n",
  );
  expect(output).toContain('no-cycles');
  expect(status).not.toBe(0);
});
