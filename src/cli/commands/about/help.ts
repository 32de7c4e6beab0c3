import { helpText } from '../../help/help.ts';
import type { CommandCall } from '../../parse/command-call.ts';

/** Prints the help of a command, or the list of commands. */
export async function run(call: CommandCall): Promise<undefined> {
  await call.output.write(await helpText(call.commands, call.positionals[0]));
}
