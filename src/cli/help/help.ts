import type { CommandSpec } from '../parse/command-spec.ts';
import { yargsProgram } from './program.ts';

/** The help of a command, or of rq as a whole. Throws USAGE for an unknown command. */
export async function helpText(commands: readonly CommandSpec[], name: string | undefined): Promise<string> {
  const command = commands.find((each) => each.name === name || (name !== undefined && each.short?.includes(name)));
  if (name !== undefined && command === undefined) {
    const { unknownCommand } = await import('./usage-error.ts');
    throw unknownCommand(commands, name);
  }
  const text = await yargsProgram(commands, command === undefined ? [] : [command.name]).getHelp();
  return `${text.trimEnd()}\n`;
}
