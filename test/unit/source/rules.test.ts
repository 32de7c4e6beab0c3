import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAX_LINES = 300;
const MAX_FILES = 20;

/** Each is written into a copy of the sources: the rule that has to refuse it, the file, and what the file imports. */
const PLANTED = [
  ['no-cycles', 'src/job/planted-cycle.ts', './planted-cycle.ts'],
  ['job-imports-nothing', 'src/job/planted.ts', '../log/logger.ts'],
  ['base-layers-import-only-job', 'src/store/planted.ts', '../queue/open.ts'],
  ['base-layers-import-only-job', 'src/yaml/planted.ts', '../store/connection.ts'],
  ['queue-imports-base-layers', 'src/queue/planted.ts', '../feeder/feed.ts'],
  ['runner-imports-job-and-log', 'src/runner/planted.ts', '../queue/open.ts'],
  ['feeder-imports-queue-and-runner', 'src/feeder/planted.ts', '../cron/lines.ts'],
  ['cron-imports-job', 'src/cron/planted.ts', '../feeder/feed.ts'],
  ['doctor-is-below-cli', 'src/doctor/planted.ts', '../cli/run.ts'],
  ['cli-uses-no-store', 'src/cli/planted.ts', '../store/connection.ts'],
  ['only-store-imports-better-sqlite3', 'src/queue/planted-sqlite.ts', 'better-sqlite3'],
  ['only-lease-imports-proper-lockfile', 'src/feeder/planted-lock.ts', 'proper-lockfile'],
  ['only-cli-imports-yargs', 'src/feeder/planted-yargs.ts', 'yargs'],
  ['only-log-imports-pino', 'src/cli/planted-pino.ts', 'pino'],
  ['only-yaml-imports-yaml', 'src/cli/planted-yaml.ts', 'yaml'],
] as const;

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

/** The lines of src that match, as `file:line: text`. */
function linesOfSource(pattern: RegExp): string[] {
  return filesIn('src').flatMap((file) => {
    const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
    return lines.flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []));
  });
}

/** Runs dependency-cruiser with the project's rules on a copy of the sources that holds all planted files. */
function violationsWithPlantedFiles(): Violation[] {
  const copy = temporaryDirectory();
  for (const name of ['node_modules', 'package.json', '.dependency-cruiser.json']) {
    symlinkSync(join(ROOT, name), join(copy, name));
  }
  cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
  for (const [, file, target] of PLANTED) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    writeFileSync(join(copy, file), `import * as planted from '${target}';\n\nexport const used = planted;\n`);
  }
  const words = ['src', '--config', '.dependency-cruiser.json', '--output-type', 'json'];
  const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/depcruise'), words, {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

test('no file is longer than 300 lines', () => {
  const lengths = [...filesIn('src'), ...filesIn('test')].map((file) => {
    return [file, readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1] as const;
  });
  expect(lengths.filter(([, lines]) => lines > MAX_LINES)).toEqual([]);
});

test('no folder of src has more than 20 files of its own', () => {
  const counts = new Map<string, number>();
  for (const file of filesIn('src')) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > MAX_FILES)).toEqual([]);
});

test('no module has a default export', () => {
  expect(linesOfSource(/^export default\b|\bas default\b/)).toEqual([]);
});

test('no module has mutable state of its own', () => {
  expect(linesOfSource(/^(export )?(let|var) /)).toEqual([]);
  expect(linesOfSource(/^(export )?const \w+(: .+)? = (new (Map|Set)(<.*>)?\(\)|\[\]|\{\});/)).toEqual([]);
});

test('only the feeder daemon uses the umask of the process', () => {
  const uses = linesOfSource(/\bprocess\.umask\(/);
  expect(uses.filter((line) => !/^src\/(main|feeder\/daemon)\.ts:/.test(line))).toEqual([]);
});

test('programs run in a directory that exists', () => {
  const calls = linesOfSource(/\bexeca\(/).filter((line) => !line.startsWith('src/job/run-program.ts:'));
  expect(calls.filter((line) => !/^src\/feeder\/start\/login-shell\.ts:/.test(line))).toEqual([]);
});

test('no module uses the recursive mkdir of Node, which may never return', () => {
  expect(linesOfSource(/\bmkdir(Sync)?\(.*recursive: true/)).toEqual([]);
});

describe('the rules of .dependency-cruiser.json', () => {
  const violations = violationsWithPlantedFiles().map(({ from, rule }) => `${rule.name}: ${from}`);

  test.each(PLANTED)('%s refuses %s, which imports %s', (rule, file) => {
    expect(violations).toContain(`${rule}: ${file}`);
  });

  test('refuse no file of src', () => {
    const planted: readonly string[] = PLANTED.map(([rule, file]) => `${rule}: ${file}`);
    expect(violations.filter((each) => !planted.includes(each))).toEqual([]);
  });
});
