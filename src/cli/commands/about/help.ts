import { helpText } from '../../help/help.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';

export const spec: CommandSpec = {
  name: 'help',
  short: ['h'],
  summary: 'explain rq or one of its commands',
  positionals: '[COMMAND]',
  maxPositionals: 1,
  queue: 'none',
  options: [],
  description: ['Explains a command, like the option --help. Without a command, lists all commands.'],
  examples: [
    ['rq help', 'list all commands'],
    ['rq help submit', 'explain one command'],
  ],
};

/** Prints the help of a command, or the list of commands. */
export async function run(call: CommandCall): Promise<undefined> {
  await call.output.write(await helpText(call.commands, call.positionals[0]));
}
