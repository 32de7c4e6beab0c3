import { quickAnswer } from './help/quick-answer.ts';
import { standardDiagnostics } from './output/diagnostics.ts';
import { EXIT, errorLine, exitStatus, stackLines } from './output/exit-status.ts';
import { OutputClosed } from './output/standard-output.ts';
import type { CallContext } from './parse/command-call.ts';
import { readCall } from './parse/read-call.ts';

/** Runs a command line and returns the exit status; every error becomes one line on stderr. */
export async function runCommandLine(args: readonly string[], context: CallContext): Promise<number> {
  let diagnostics = standardDiagnostics(context.environment, requestedVerbosity(args));
  try {
    const answer = quickAnswer(args);
    if (answer !== undefined) {
      await context.output.write(answer);
      return EXIT.done;
    }
    const { call, program } = await readCall(args, context);
    diagnostics = call.diagnostics;
    return (await program.run(call)) ?? EXIT.done;
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT.done;
    diagnostics.fatal(errorLine(error));
    for (const line of stackLines(error)) diagnostics.debug(line);
    return exitStatus(error);
  }
}

/** The verbosity for errors in the command line itself. */
function requestedVerbosity(args: readonly string[]): number | undefined {
  const digit = /(?:^| )(?:-v|--verbosity)[ =]?([0-4])(?: |$)/.exec(args.join(' '))?.[1];
  return digit === undefined ? undefined : Number(digit);
}
