import { closeSync, openSync } from 'node:fs';
import { Activity } from '../../job/activity.ts';
import { errorMessage, RqError } from '../../job/errors.ts';
import { helpText } from '../help/help.ts';
import { wantsColour } from '../output/colour.ts';
import { standardDiagnostics } from '../output/diagnostics.ts';
import { chooseFields } from '../output/fields.ts';
import type { Surroundings } from '../run.ts';
import { observeCall } from '../stall/observe-call.ts';
import { versionText } from '../version.ts';
import { refuseInvalidBytes } from './argument-bytes.ts';
import { type Arguments, readArguments } from './arguments.ts';
import type { CommandCall, CommandProgram } from './command-call.ts';
import { COMMANDS } from './command-table.ts';

/**
 * Reads the words as a call of a command, loads the command's program, and has long waits of the call reported. Throws USAGE,
 * or INVALID_INPUT for the log.
 */
export async function readCall(
  words: readonly string[],
  { environment, output, input }: Surroundings,
): Promise<{ call: CommandCall; program: CommandProgram }> {
  refuseInvalidBytes(words);
  const read = readArguments(words, environment);
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

/** Before anything is changed. Commands that print jobs know the fields of these. */
function refuseUnknownFields({ command, options }: Arguments): void {
  const fields = options.text('fields');
  if (fields !== undefined && command.report !== undefined) chooseFields(fields, command.report);
}

/** Help and version that only the parser could find, among options with values. */
function answerProgram({ command, options }: Arguments): CommandProgram | undefined {
  const answer = options.flag('help')
    ? () => helpText(COMMANDS, command.name)
    : options.flag('version')
      ? versionText
      : undefined;
  if (answer === undefined) return undefined;
  return {
    run: async ({ output }) => {
      await output.write(await answer());
      return undefined;
    },
  };
}

function tryLog(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot write the log ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
