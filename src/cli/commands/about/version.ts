import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { versionText } from '../../version.ts';

export const spec: CommandSpec = {
  name: 'version',
  summary: 'print the version',
  queue: 'none',
  options: [],
  description: ['Prints the version of rq.'],
  examples: [
    ['rq version', 'print the version'],
    ['rq --version', 'the same'],
  ],
};

/** Prints the version. */
export async function run(call: CommandCall): Promise<undefined> {
  await call.output.write(versionText());
}
