import { quickAnswer } from './help/quick-answer.ts';
import { standardDiagnostics } from './output/diagnostics.ts';
import { EXIT, errorLine, exitStatus, stackLines } from './output/exit-status.ts';
import { OutputClosed } from './output/standard-output.ts';
import type { InputStream, TextOutput } from './parse/command-call.ts';

/** What a call of rq works with. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly output: TextOutput;
  /** Asked for only by what reads it. */
  readonly input: () => Promise<InputStream>;
}

/** Does what the words say and returns the exit status; every error becomes one line on stderr. */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  let diagnostics = standardDiagnostics(surroundings.environment, askedVerbosity(words));
  try {
    const answer = await quickAnswer(words);
    if (answer !== undefined) {
      await surroundings.output.write(answer);
      return EXIT.done;
    }
    const { readCall } = await import('./parse/read-call.ts');
    const { call, program } = await readCall(words, surroundings);
    diagnostics = call.diagnostics;
    return (await program.run(call)) ?? EXIT.done;
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT.done;
    diagnostics.fatal(errorLine(error));
    for (const line of stackLines(error)) diagnostics.debug(line);
    return exitStatus(error);
  }
}

/** The verbosity for errors of the words themselves, before anything has parsed them. */
function askedVerbosity(words: readonly string[]): number | undefined {
  const digit = /(?:^| )(?:-v|--verbosity)[ =]?([0-4])(?: |$)/.exec(words.join(' '))?.[1];
  return digit === undefined ? undefined : Number(digit);
}
