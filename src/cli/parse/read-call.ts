import { closeSync, openSync } from 'node:fs';
import { Activity } from '../../job/activity.ts';
import { errorMessage, RqError } from '../../job/errors.ts';
import { wantsColour } from '../output/colour.ts';
import { standardDiagnostics } from '../output/diagnostics.ts';
import { chooseFields } from '../output/fields.ts';
import { observeCall } from '../stall/observe-call.ts';
import { versionText } from '../version.ts';
import { refuseInvalidBytes } from './argument-bytes.ts';
import { type Arguments, readArguments } from './arguments.ts';
import type { CallContext, CommandCall, CommandProgram, TextOutput } from './command-call.ts';
import { COMMANDS } from './command-table.ts';

/**
 * Reads the arguments as a call of a command, loads its handler, and has long waits of the call reported. Throws USAGE,
 * or INVALID_INPUT for the log.
 */
export async function readCall(
  args: readonly string[],
  { environment, output, input }: CallContext,
): Promise<{ call: CommandCall; program: CommandProgram }> {
  const read = await readOrExplain(args, environment);
  refuseUnknownFields(read);
  const log = read.options.text('log');
  if (log !== undefined) tryLog(log);
  const unobserved: Omit<CommandCall, 'activity'> = {
    command: read.command.name,
    commands: COMMANDS,
    report: read.command.report,
    queue: read.queue,
    positionals: read.positionals,
    literalFrom: read.literalFrom,
    options: read.options,
    environment,
    hasColour: wantsColour(1, environment),
    output,
    diagnostics: standardDiagnostics(environment, read.options.number('verbosity'), log),
    input: await input(),
  };
  const answer = answerProgram(read);
  const activity = answer === undefined ? await observeCall(unobserved) : new Activity();
  return { call: { ...unobserved, activity }, program: answer ?? (await read.command.load()) };
}

/** As `readArguments`. Throws USAGE for a call that is not understood. */
export async function readOrExplain(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Arguments> {
  refuseInvalidBytes(args);
  try {
    return readArguments(args, environment);
  } catch (error) {
    // Loaded for mistakes only: yargs takes longer to load than a submit takes to run.
    const { explainMisuse } = await import('../help/usage-error.ts');
    throw await explainMisuse(COMMANDS, error);
  }
}

/** Before anything is changed. Commands that print jobs check their fields themselves. */
function refuseUnknownFields({ command, options }: Arguments): void {
  const fields = options.text('fields');
  if (fields !== undefined && command.report !== undefined) chooseFields(fields, command.report);
}

function answerProgram({ command, options }: Arguments): CommandProgram | undefined {
  if (options.flag('help')) return { run: ({ output }) => writeHelp(output, command.name) };
  if (options.flag('version')) return { run: async ({ output }) => void (await output.write(versionText())) };
  return undefined;
}

async function writeHelp(output: TextOutput, name: string): Promise<undefined> {
  const { helpText } = await import('../help/help.ts');
  await output.write(await helpText(COMMANDS, name));
}

function tryLog(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot write the log ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
