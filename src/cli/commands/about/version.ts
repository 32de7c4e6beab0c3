import type { ModeCall } from '../../parse/command-call.ts';
import { versionText } from '../../version.ts';

/** Prints the version. */
export async function run(call: ModeCall): Promise<undefined> {
  await call.output.write(versionText());
}
