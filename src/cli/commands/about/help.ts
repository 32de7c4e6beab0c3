import { helpText } from '../../help/help.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';

export const spec: CommandSpec = {
  name: 'help',
  short: ['h'],
  summary: 'print help for rq or for a command',
  positionals: '[COMMAND]',
  maxPositionals: 1,
  queue: 'none',
  options: [],
  description: [
    'Prints help for a command, as the option --help does. Without an argument, "help" lists all commands.',
  ],
  examples: [
    ['rq help', 'list all commands'],
    ['rq help submit', 'print help for a command'],
  ],
};

/** Prints help for a command, or the list of commands. */
export async function run(call: CommandCall): Promise<undefined> {
  await call.output.write(await helpText(call.commands, call.positionals[0]));
}
