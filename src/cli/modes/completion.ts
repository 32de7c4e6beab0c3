import { RqError } from '../../job/errors.ts';
import { SCRIPTS, shellNamed } from '../completion/scripts.ts';
import type { ModeCall } from '../mode-call.ts';

/** Prints the script for a shell. What the scripts ask for is answered by completion/answer.ts. */
export async function run(call: ModeCall): Promise<undefined> {
  const [name = '', extra] = call.words;
  const shell = shellNamed(name);
  if (extra !== undefined) throw new RqError('USAGE', `completion takes only a shell, not "${extra}"`);
  await call.output.write(SCRIPTS[shell]);
}
