// What all benchmarks share: a scratch directory, queues in it, and how a program is timed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const RQ = join(ROOT, 'bin/rq');
// Nothing in it is removed before the end: ext4 takes up to a millisecond for each new file near many just deleted.
export const scratch = mkdtempSync(join(tmpdir(), 'rq-bench-'));
export const env = { ...process.env, RQ_RUNTIME_DIR: join(scratch, 'run'), RQ_Q: '', RQ_HOST: '' };
export const sink = openSync('/dev/null', 'r+');
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

let names = 0;

/** A directory of its own. */
export function place(name) {
  names += 1;
  const path = join(scratch, `${name}${names}`);
  mkdirSync(path);
  return path;
}

/** Runs a program to its end; seconds. */
export function timed(program, words, options = {}) {
  const start = performance.now();
  const { status, error } = spawnSync(program, words, { env, stdio: ['pipe', sink, 'inherit'], ...options });
  if (error !== undefined || status !== 0) throw error ?? new Error(`${program} ${words.join(' ')}: status ${status}`);
  return (performance.now() - start) / 1000;
}

/** Runs rq; gives what it prints. */
export function rq(words, options = {}) {
  return execFileSync(RQ, words, { env, encoding: 'utf8', maxBuffer: 2 ** 29, ...options });
}

export function newQueue() {
  const path = join(place('q'), 'q');
  rq([path, 'create']);
  return path;
}

/** A feeder in the foreground, that is told to end by `stop`. */
export function feeder(queue, words = [], environment = env) {
  const child = spawn(RQ, [queue, 'feed', '-v1', ...words], { env: environment, stdio: ['ignore', sink, 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { child, stop };
}

/** So many lines of text. */
export function lines(count, text) {
  return Array.from({ length: count }, (_, index) => `${text(index + 1)}\n`).join('');
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(condition, patienceMs = 120_000) {
  const start = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() - start > patienceMs) throw new Error(`waited in vain for ${condition}`);
    await sleep(20);
  }
}

export function sorted(values) {
  return [...values].sort((a, b) => a - b);
}

export function median(values) {
  return sorted(values)[Math.floor(values.length / 2)];
}

/** The value below which so many of a hundred are. */
export function percentile(values, percent) {
  return sorted(values)[Math.min(values.length - 1, Math.ceil((values.length * percent) / 100) - 1)];
}
