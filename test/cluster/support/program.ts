import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this checkout. Hosts see it read-only, under the same path. */
export const checkout = realpathSync(fileURLToPath(new URL('../../../', import.meta.url)));

/** The built program, on this machine and on every host. */
export const program = join(checkout, 'bin', 'rq');

/** The settings with which hosts see the checkout and this Node, wherever these are on this machine. */
export function programEnvironment(): { LAB_SEE: string; LAB_PATH: string } {
  const node = realpathSync(process.execPath);
  // node_modules may be a link into a cache.
  const seen = new Set([checkout, realpathSync(join(checkout, 'node_modules')), dirname(dirname(node))]);
  // Hosts see the root directory in any case.
  return { LAB_SEE: [...seen].filter((path) => path !== '/').join(':'), LAB_PATH: dirname(node) };
}

/** Quotes arguments for a shell. */
export function shellCommand(...words: string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
