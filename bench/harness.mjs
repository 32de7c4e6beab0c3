// Shared by all benchmarks: the size of the run, a scratch directory, queues in it, and timed programs.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const RQ = join(ROOT, 'bin/rq');
/** A smoke run executes every benchmark once and small; its figures mean nothing. */
export const isSmoke = process.argv.includes('--smoke');
// Files in it are removed only at the end: ext4 takes up to a millisecond to create a file near many just deleted.
export const scratch = mkdtempSync(join(tmpdir(), 'rq-bench-'));
export const env = { ...process.env, RQ_RUNTIME_DIR: join(scratch, 'run'), RQ_Q: '', RQ_HOST: '' };
export const sink = openSync('/dev/null', 'r+');
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

let places = 0;

/** A number for a full run, and one for a smoke run: by default a hundredth, at least 1. */
export function size(full, smoke = Math.max(1, Math.round(full / 100))) {
  return isSmoke ? smoke : full;
}

/** Creates a directory. */
export function place(name) {
  places += 1;
  const path = join(scratch, `${name}${places}`);
  mkdirSync(path);
  return path;
}

/** Runs a program to its end. Returns seconds. */
export function timed(program, words, options = {}) {
  const start = performance.now();
  const { status, error } = spawnSync(program, words, { env, stdio: ['pipe', sink, 'inherit'], ...options });
  if (error !== undefined || status !== 0) throw error ?? new Error(`${program} ${words.join(' ')}: status ${status}`);
  return (performance.now() - start) / 1000;
}

/** Runs rq. Returns its stdout. */
export function rq(words, options = {}) {
  return execFileSync(RQ, words, { env, encoding: 'utf8', maxBuffer: 2 ** 29, ...options });
}

export function newQueue() {
  const path = join(place('q'), 'q');
  rq([path, 'create']);
  return path;
}

/** Runs SQL on a queue. Returns the rows. */
export function select(queue, sql) {
  return JSON.parse(rq([queue, 'execute', '--json', sql]));
}

/** The number of jobs in a state. */
export function count(queue, state) {
  return select(queue, `SELECT count(*) AS n FROM jobs WHERE state = '${state}'`)[0].n;
}

/** A feeder in the foreground. `stop` ends it. */
export function feeder(queue, words = [], environment = env) {
  const child = spawn(RQ, [queue, 'feed', '-v1', ...words], { env: environment, stdio: ['ignore', sink, 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { child, stop };
}

/** Text of `count` lines. */
export function lines(count, text) {
  return Array.from({ length: count }, (_, index) => `${text(index + 1)}\n`).join('');
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls a condition until it returns something true. */
export async function until(condition, timeoutMs = 120_000) {
  const start = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() - start > timeoutMs) throw new Error(`not true after ${timeoutMs} ms: ${condition}`);
    await sleep(20);
  }
}

export function sorted(values) {
  return [...values].sort((a, b) => a - b);
}

export function median(values) {
  return sorted(values)[Math.floor(values.length / 2)];
}

export function percentile(values, percent) {
  return sorted(values)[Math.min(values.length - 1, Math.ceil((values.length * percent) / 100) - 1)];
}
