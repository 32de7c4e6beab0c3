// Compiles rq-starter. A C compiler suffices: node-gyp would need Python and the headers of Node for a program that uses
// neither, and takes 2.9 s where the compiler takes 1.6 s.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const folder = join(root, 'src/starter');
const cache = join(root, 'node_modules/.cache/rq-starter');

const warnings = ['-std=gnu11', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror'];
const hardening = ['-D_FORTIFY_SOURCE=2', '-fstack-protector-strong', '-fPIE', '-Wl,-z,relro,-z,now'];
const sanitizers = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'];
// A fork of a static program copies fewer pages. Some distributions have no static libc.
const optimized = [
  ['-O2', ...hardening, '-static-pie'],
  ['-O2', ...hardening, '-pie'],
];

/** Compiles rq-starter to a path; with `sanitize`, with AddressSanitizer and UndefinedBehaviorSanitizer. */
export function buildStarter(target, { sanitize = false } = {}) {
  const sources = readdirSync(folder).map((name) => join(folder, name));
  const compiler = process.env.CC ?? 'cc';
  const variants = sanitize ? [sanitizers] : optimized;
  const hash = createHash('sha256').update(JSON.stringify([compiler, warnings, variants]));
  for (const source of sources) hash.update(readFileSync(source));
  const built = join(cache, hash.digest('hex').slice(0, 16));
  if (!existsSync(built)) {
    mkdirSync(cache, { recursive: true });
    compile(
      compiler,
      variants,
      sources.filter((name) => name.endsWith('.c')),
      built,
    );
  }
  // A program that runs cannot be overwritten.
  copyFileSync(built, `${target}.new`);
  renameSync(`${target}.new`, target);
}

function compile(compiler, variants, sources, target) {
  const temporary = `${target}.${process.pid}`;
  let output = '';
  for (const flags of variants) {
    const { status, stderr, error } = spawnSync(compiler, [...warnings, ...flags, '-o', temporary, ...sources, '-lm'], {
      encoding: 'utf8',
    });
    if (status === 0) return renameSync(temporary, target);
    output = error === undefined ? stderr : error.message;
  }
  throw new Error(`cannot compile rq-starter with ${compiler}; install a C compiler (build-essential):\n${output}`);
}
