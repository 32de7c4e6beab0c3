import { closeSync, openSync } from 'node:fs';
import { errorMessage, RqError } from '../../job/errors.ts';
import { helpText } from '../help/help.ts';
import { standardTalk, wantsColour } from '../output/diagnostics.ts';
import { chooseFields } from '../output/fields.ts';
import type { Surroundings } from '../run.ts';
import { watchCall } from '../stall/watch-call.ts';
import { versionText } from '../version.ts';
import { refuseInvalidBytes } from './argument-bytes.ts';
import { type Arguments, readArguments } from './arguments.ts';
import type { ModeCall, ModeProgram } from './command-call.ts';
import { MODES } from './command-table.ts';

/**
 * Reads the words as a call of a mode, loads the mode's program, and has the call watched while it waits. Throws USAGE,
 * or INVALID_INPUT for the log.
 */
export async function readCall(
  words: readonly string[],
  { environment, output, input }: Surroundings,
): Promise<{ call: ModeCall; program: ModeProgram }> {
  refuseInvalidBytes(words);
  const read = readArguments(words, environment);
  refuseUnknownFields(read);
  const log = read.options.text('log');
  if (log !== undefined) tryLog(log);
  const call: ModeCall = {
    mode: read.mode.name,
    modes: MODES,
    report: read.mode.report,
    queue: read.queue,
    words: read.words,
    literalFrom: read.literalFrom,
    options: read.options,
    environment,
    hasColour: wantsColour(1, environment),
    output,
    talk: standardTalk(environment, read.options.number('verbosity'), log),
    input: await input(),
  };
  const answer = answerProgram(read);
  if (answer === undefined) await watchCall(call);
  return { call, program: answer ?? (await read.mode.load()) };
}

/** Before anything is changed. Modes that print jobs know the fields of these. */
function refuseUnknownFields({ mode, options }: Arguments): void {
  const fields = options.text('fields');
  if (fields !== undefined && mode.report !== undefined) chooseFields(fields, mode.report);
}

/** Help and version that only the parser could find, among options with values. */
function answerProgram({ mode, options }: Arguments): ModeProgram | undefined {
  const answer = options.flag('help')
    ? () => helpText(MODES, mode.name)
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
