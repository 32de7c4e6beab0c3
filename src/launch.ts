import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { quickAnswer } from './cli/help/quick-answer.ts';
import { errorCode } from './job/errors.ts';

declare const __dirname: string;
/** The file with the V8 code cache of the program, and the text around its source; set by scripts/bundle.mjs. */
declare const RQ_CODE: string;
declare const RQ_WRAPPER: readonly [string, string];

/** Bundled beside this file. */
const PROGRAM = 'rq.cjs';

/** Answers `rq` and `rq --version` from this small file, and loads the program for every other call. */
function launch(): void {
  const answer = quickAnswer(process.argv.slice(2));
  if (answer === undefined) {
    load(join(__dirname, PROGRAM));
    return;
  }
  process.stdout.on('error', (error) => {
    // The program reports a write error; a closed pipe is none.
    if (errorCode(error) !== 'EPIPE') load(join(__dirname, PROGRAM));
  });
  process.stdout.write(answer);
}

/** As `require`, with the V8 code cache. V8 rejects the cache of another version of Node, and compiles the source. */
function load(path: string): void {
  const code = readIfThere(join(__dirname, RQ_CODE));
  const source = RQ_WRAPPER.join(readFileSync(path, 'utf8'));
  const script = new Script(source, { filename: path, ...(code === undefined ? {} : { cachedData: code }) });
  const module = { exports: {} };
  (script.runInThisContext() as (...parameters: unknown[]) => void)(
    module.exports,
    createRequire(path),
    module,
    path,
    __dirname,
  );
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

launch();
