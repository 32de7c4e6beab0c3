// V8 keeps what it compiled of a program: to compile it anew takes a quarter of the processor time of a call.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/** Around the text of a CommonJS file. V8 takes code for that of a text by no more than its length: both must be alike. */
export const WRAPPER = ['(function (exports, require, module, __filename, __dirname) { ', '\n})'];

/** The name that the code of such a program has, which no other program's has. */
export function codeName(program) {
  return `rq-${createHash('sha256').update(readFileSync(program)).digest('hex').slice(0, 16)}.code`;
}

/** Writes the code of a program as it is after a submit, the call that is made most. */
export function compileCode(program) {
  const directory = mkdtempSync(join(tmpdir(), 'rq-build-'));
  try {
    const queue = join(directory, 'q');
    const env = { ...process.env, RQ_RUNTIME_DIR: join(directory, 'run') };
    const run = (words, options) => execFileSync(process.execPath, words, { env, ...options });
    run([fileURLToPath(import.meta.url), program, queue, 'create'], { stdio: 'ignore' });
    run([fileURLToPath(import.meta.url), program, queue, 'submit', 'true'], {
      stdio: 'ignore',
      env: { ...env, RQ_CODE_FILE: join(dirname(program), codeName(program)) },
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , program, ...words] = process.argv;
  const script = new Script(WRAPPER.join(readFileSync(program, 'utf8')), { filename: program });
  const wanted = process.env.RQ_CODE_FILE;
  if (wanted !== undefined) process.on('exit', () => writeFileSync(wanted, script.createCachedData()));
  process.argv = [process.argv[0], program, ...words];
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(program), module, program, dirname(program));
}
