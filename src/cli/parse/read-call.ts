import { closeSync, openSync } from 'node:fs';
import { errorMessage, RqError } from '../../job/errors.ts';
import { standardDiagnostics } from '../output/diagnostics.ts';
import { chooseFields } from '../output/fields.ts';
import { observeCall } from '../stall/observe-call.ts';
import { refuseInvalidBytes } from './argument-bytes.ts';
import { type Arguments, readArguments } from './arguments.ts';
import type { CallContext, CommandCall, CommandProgram } from './command-call.ts';
import { COMMANDS, findCommand } from './command-table.ts';

/**
 * Reads the arguments as a call of a command, loads its handler, and has long waits of the call reported. Throws USAGE,
 * or INVALID_INPUT for the log.
 */
export async function readCall(
  args: readonly string[],
  { environment, output, input }: CallContext,
): Promise<{ call: CommandCall; program: CommandProgram }> {
  const read = asCommand(await readOrExplain(args, environment));
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
    output,
    diagnostics: standardDiagnostics(environment, read.options.number('verbosity'), log),
    input,
  };
  return { call: { ...unobserved, activity: await observeCall(unobserved) }, program: await read.command.load() };
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

/** Before anything is changed. */
function refuseUnknownFields({ command, options }: Arguments): void {
  const fields = options.text('fields');
  if (fields !== undefined && command.report !== undefined) chooseFields(fields, command.report);
}

/** The options --help and --version as the commands `help` and `version`. */
function asCommand(read: Arguments): Arguments {
  const { command, options } = read;
  const words = command.name === 'help' ? read.positionals : [command.name];
  if (options.flag('help')) return { ...read, command: findCommand('help') ?? command, queue: '', positionals: words };
  if (options.flag('version'))
    return { ...read, command: findCommand('version') ?? command, queue: '', positionals: [] };
  return read;
}

function tryLog(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot write the log ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
