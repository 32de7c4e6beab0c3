import { RqError } from '../../job/errors.ts';
import { jidCandidates, tagCandidates } from '../../queue/completions.ts';
import { openQueue, type Queue } from '../../queue/open.ts';
import { complete } from '../complete.ts';
import { COMPLETION_SCRIPTS, type Shell } from '../completion-scripts.ts';
import type { ModeCall } from '../mode-call.ts';

/** Whoever types waits for it. */
const PATIENCE_MS = 1_000;

/** Prints the script for a shell or, with `--complete`, what could be the last of the words. */
export async function run(call: ModeCall): Promise<undefined> {
  const shells = Object.keys(COMPLETION_SCRIPTS) as Shell[];
  if (call.options.flag('complete')) {
    const standing = call.environment['RQ_Q'] || call.environment['RQ_QUEUE'] || '';
    const look = { tags: candidates(tagCandidates), jids: candidates(jidCandidates) };
    const found = await complete(call.words, { modes: call.modes, standing, shells, ...look });
    await call.output.write(found.map((word) => `${word}\n`).join(''));
    return;
  }
  const shell = shells.find((name) => name === call.words[0]);
  if (shell === undefined || call.words.length > 1) {
    throw new RqError('USAGE', `completion for which shell? There are ${shells.join(', ')}`);
  }
  await call.output.write(COMPLETION_SCRIPTS[shell]);
}

/** Asks a queue; one that cannot be read has no candidates, and nothing is said on the line that somebody types. */
function candidates(ask: (queue: Queue, prefix: string) => Promise<string[]>) {
  return async (path: string, prefix: string): Promise<string[]> => {
    try {
      const queue = await openQueue(path.replace(/^~(?=\/|$)/, process.env['HOME'] ?? '~'), {
        lockTimeoutMs: PATIENCE_MS,
      });
      try {
        return (await ask(queue, prefix)).filter((word) => /^[\w.,:@%+-]+$/.test(word));
      } finally {
        queue.close();
      }
    } catch (error) {
      if (error instanceof RqError) return [];
      throw error;
    }
  };
}
