import { quickAnswer } from './cli/quick-answer.ts';

/** Bundled beside this file as an ES module of many parts. */
const PROGRAM: string = './rq.js';

/**
 * The way in: help and the version are answered from this one small file, which starts as fast as Node does (1.03 of
 * `node -e 0`; an ES module with parts takes 1.2). All else, mistakes too, is for the program.
 */
async function launch(): Promise<void> {
  const answer = await quickAnswer(process.argv.slice(2)).catch(() => undefined);
  if (answer === undefined) {
    await import(PROGRAM);
    return;
  }
  // A reader that is gone needs no answer.
  process.stdout.on('error', () => undefined);
  process.stdout.write(answer);
}

void launch();
