import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this checkout: hosts see it, read-only, under the same path. */
export const checkout = realpathSync(fileURLToPath(new URL('../../../', import.meta.url)));

/** The built program, as this machine and every host call it. */
export const program = join(checkout, 'bin', 'rq');

/** What `lab` is told so that hosts find the checkout and this very node, wherever on this machine those are. */
export function programEnvironment(): { LAB_SEE: string; LAB_PATH: string } {
  const node = realpathSync(process.execPath);
  // node_modules may be a link into a cache.
  const seen = new Set([checkout, realpathSync(join(checkout, 'node_modules')), dirname(dirname(node))]);
  // The root itself is what hosts see anyway.
  return { LAB_SEE: [...seen].filter((path) => path !== '/').join(':'), LAB_PATH: dirname(node) };
}

/** Quotes words for a shell, so that a command can be handed to `lab.run` word by word. */
export function shellCommand(...words: string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
