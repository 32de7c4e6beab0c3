import type { CommandCall } from '../../parse/command-call.ts';
import { versionText } from '../../version.ts';

/** Prints the version. */
export async function run(call: CommandCall): Promise<undefined> {
  await call.output.write(versionText());
}
