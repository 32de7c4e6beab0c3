// Collects the result of each cluster test in a file, because tests run in separate processes, and prints them as a table
// at the end of the run.
import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Result {
  readonly scenario: string;
  readonly jobs: number | undefined;
  readonly faults: string | undefined;
  readonly result: string;
  readonly seconds: number;
}

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/rq-test/', import.meta.url));
const FILE = `${CACHE}results.jsonl`;

let facts: { jobs?: number; faults?: string; found?: string } = {};

/** Adds facts about the current test: the number of jobs, the faults, and a finding to print instead of `passed`. */
export function reportFacts(added: { jobs?: number; faults?: string; found?: string }): void {
  facts = { ...facts, ...added };
}

/** Adds a completed test to the table. */
export function addResult(scenario: string, hasPassed: boolean, seconds: number): void {
  const { jobs, faults, found } = facts;
  facts = {};
  const result = hasPassed ? (found ?? 'passed') : 'FAILED';
  appendFileSync(FILE, `${JSON.stringify({ scenario, jobs, faults, result, seconds } satisfies Result)}\n`);
}

/** Runs before the cluster tests. */
export function setup(): void {
  mkdirSync(CACHE, { recursive: true });
  rmSync(FILE, { force: true });
}

/** Runs after the cluster tests. */
export function teardown(): void {
  process.stdout.write(`\n${table(read())}`);
}

function read(): Result[] {
  try {
    const lines = readFileSync(FILE, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Result);
  } catch {
    // No test ran.
    return [];
  }
}

function table(results: readonly Result[]): string {
  const rows = results.map(({ scenario, jobs, faults, result, seconds }) =>
    [scenario, jobs ?? '', faults ?? '', result, seconds.toFixed(0)].map((cell) => ` ${cell} `).join('|'),
  );
  const head = [' scenario | jobs | faults | result | seconds ', '---|---|---|---|---'];
  return [...head, ...rows].map((row) => `|${row}|\n`).join('');
}
