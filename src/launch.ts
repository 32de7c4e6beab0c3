import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { quickAnswer } from './cli/help/quick-answer.ts';
import { errorCode } from './job/errors.ts';

declare const __dirname: string;
/** The name of the file of what V8 compiled of this very program when it was built, and what was around the text. */
declare const RQ_CODE: string;
declare const RQ_WRAPPER: readonly [string, string];

/** Bundled beside this file. */
const PROGRAM = 'rq.cjs';

/**
 * The way in: help and the version are answered from this one small file, which starts as fast as Node does (1.03 of
 * `node -e 0`; an ES module with parts takes 1.2). All else, mistakes too, is for the program.
 */
async function launch(): Promise<void> {
  const answer = await quickAnswer(process.argv.slice(2)).catch(() => undefined);
  if (answer === undefined) {
    load(join(__dirname, PROGRAM));
    return;
  }
  process.stdout.on('error', (error) => {
    // A reader that is gone needs no answer; what else is wrong the program will find too, and has words for.
    if (errorCode(error) !== 'EPIPE') load(join(__dirname, PROGRAM));
  });
  process.stdout.write(answer);
}

/**
 * As `require` does, but with compiled code if there is some: to compile all anew takes a third of the time of a call.
 * Another version of Node than that of the build refuses it, and compiles.
 */
function load(path: string): void {
  const code = readIfThere(join(__dirname, RQ_CODE));
  const source = RQ_WRAPPER.join(readFileSync(path, 'utf8'));
  const script = new Script(source, { filename: path, ...(code === undefined ? {} : { cachedData: code }) });
  const module = { exports: {} };
  (script.runInThisContext() as (...words: unknown[]) => void)(
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
  } catch {
    return undefined;
  }
}

void launch();
