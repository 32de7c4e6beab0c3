import { RqError } from '../../../job/errors.ts';
import { SCRIPTS, SHELLS } from '../../help/completion/scripts.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { nearestHint } from '../../parse/suggestions.ts';

/** Prints the script for a shell. What the scripts ask with --complete is answered by src/complete.ts. */
export async function run(call: CommandCall): Promise<undefined> {
  const [name = '', extra] = call.positionals;
  if (call.options.flag('complete')) {
    throw new RqError('USAGE', '--complete is for the scripts, which call: rq completion SHELL --complete -- LINE');
  }
  if (extra !== undefined) throw new RqError('USAGE', `completion takes only a shell, not "${extra}"`);
  const shell = SHELLS.find((each) => each === name);
  if (shell === undefined) {
    const hint = nearestHint(name, SHELLS) || '.';
    throw new RqError('USAGE', `there is no completion for "${name}"${hint} Give ${SHELLS.join(', ')}`);
  }
  await call.output.write(SCRIPTS[shell]);
}
