import type { ModeCall } from '../mode-call.ts';
import { versionText } from '../version.ts';

/** Prints the version. */
export async function run(call: ModeCall): Promise<undefined> {
  await call.output.write(versionText());
}
