import { helpText } from '../../help/help.ts';
import type { ModeCall } from '../../parse/command-call.ts';

/** Prints the help of a mode, or the list of modes. */
export async function run(call: ModeCall): Promise<undefined> {
  await call.output.write(await helpText(call.modes, call.words[0]));
}
