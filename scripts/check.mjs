// All checks in one command: build, types, lint, layers, dead code, the package, the tests, the demo, and a smoke run of
// the benchmarks. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules/.bin', name);
const scratch = mkdtempSync(join(tmpdir(), 'rq-check-'));
const totals = { passed: 0, failed: 0, skipped: 0 };

const fastChecks = [
  ['build', process.execPath, ['scripts/build.mjs']],
  ['types', bin('tsc'), ['-p', '.']],
  ['lint', bin('biome'), ['check', '.', '--diagnostic-level=warn', '--error-on-warnings']],
  ['layers', bin('depcruise'), ['src', '--config', '.dependency-cruiser.json']],
  ['floating promises', bin('oxlint'), ['--type-aware', 'src', 'test']],
  ['C', process.execPath, ['scripts/check-starter.mjs']],
  ['dead code', bin('knip'), []],
  ['package', bin('publint'), ['--strict']],
];
const runs = [
  ['demo', process.execPath, ['scripts/demo.mjs']],
  ['benchmarks, smoke run', process.execPath, ['bench/run.mjs', '--smoke']],
];
const projects = ['unit', 'integration', 'cluster'];

function count(name, hasPassed) {
  totals[hasPassed ? 'passed' : 'failed'] += 1;
  process.stdout.write(`${hasPassed ? 'ok' : 'FAILED'}: ${name}\n`);
}

function runCheck([name, program, args]) {
  process.stdout.write(`\n== ${name}\n`);
  count(name, spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status === 0);
}

function runTests(project) {
  process.stdout.write(`\n== ${project} tests\n`);
  const file = join(scratch, `${project}.json`);
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const { status } = spawnSync(bin('vitest'), args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NO_COLOR: '1' },
  });
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return count(`${project} tests: vitest ended with ${status} and wrote no report`, false);
  }
  totals.passed += report.numPassedTests;
  totals.failed += report.numFailedTests;
  totals.skipped += report.numPendingTests + report.numTodoTests;
  printSkipped(report);
  // A test file that cannot be loaded has no failed tests.
  if (status !== 0 && report.numFailedTests === 0) count(`${project} tests: vitest ended with ${status}`, false);
}

/** Prints the reasons for skipped tests. The title of a test or of its suite contains `(skipped: REASON)`, else it fails. */
function printSkipped({ testResults }) {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const skipped = tests.filter(({ status }) => !['passed', 'failed'].includes(status));
  const reasons = new Map();
  for (const { fullName } of skipped) {
    const reason = /\((skipped[^)]*)\)/.exec(fullName)?.[1];
    if (reason === undefined) count(`skipped without a reason: ${fullName}`, false);
    else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  for (const [reason, tests] of reasons) process.stdout.write(`${tests} ${reason}\n`);
}

try {
  for (const check of fastChecks) runCheck(check);
  for (const project of projects) runTests(project);
  for (const check of runs) runCheck(check);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
