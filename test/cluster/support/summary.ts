// What was done and found, test by test: noted by the tests, which run in processes of their own, and printed as a table
// at the end of the run.
import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Verdict {
  readonly scenario: string;
  readonly jobs: number | undefined;
  readonly faults: string | undefined;
  readonly verdict: string;
  readonly seconds: number;
}

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/rq-test/', import.meta.url));
const FILE = `${CACHE}verdicts.jsonl`;

let facts: { jobs?: number; faults?: string; found?: string } = {};

/** Tells what the test that runs did: how many jobs, which faults, what was found besides that it passes. */
export function reportFacts(told: { jobs?: number; faults?: string; found?: string }): void {
  facts = { ...facts, ...told };
}

/** Puts a test that has ended into the table. */
export function addResult(scenario: string, hasPassed: boolean, seconds: number): void {
  const { jobs, faults, found } = facts;
  facts = {};
  const verdict = hasPassed ? (found ?? 'held') : 'FAILED';
  appendFileSync(FILE, `${JSON.stringify({ scenario, jobs, faults, verdict, seconds } satisfies Verdict)}\n`);
}

/** Before the cluster tests. */
export function setup(): void {
  mkdirSync(CACHE, { recursive: true });
  rmSync(FILE, { force: true });
}

/** After them. */
export function teardown(): void {
  process.stdout.write(`\n${table(read())}`);
}

function read(): Verdict[] {
  try {
    const lines = readFileSync(FILE, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Verdict);
  } catch {
    // No lab can be had, or no test was chosen.
    return [];
  }
}

function table(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ scenario, jobs, faults, verdict, seconds }) =>
    [scenario, jobs ?? '', faults ?? '', verdict, seconds.toFixed(0)].map((cell) => ` ${cell} `).join('|'),
  );
  const head = [' scenario | jobs | faults | verdict | seconds ', '---|---|---|---|---'];
  return [...head, ...rows].map((row) => `|${row}|\n`).join('');
}
