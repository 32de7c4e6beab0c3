// Variants of the program, or of a fixture, with one protection taken out: a piece of a source file is replaced while it
// is bundled. So it is seen whether a test would notice that the protection is missing.
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleProgram } from '../../scripts/bundle.mjs';
import { bundled, ROOT } from './fixture.ts';

interface Patch {
  readonly file: string;
  /** Is there exactly once. */
  readonly text: string;
  readonly replacement: string;
}

export const PROTECTIONS = {
  fence: {
    file: 'src/queue/transaction/transaction.ts',
    text: 'if (this.fence >= lease.generation) return this.notTheHighest(connection);',
    replacement: '',
  },
  'ownership check': {
    file: 'src/queue/transaction/transaction.ts',
    text: 'if (!lease.isOwned()) return this.notTheHighest(connection);',
    replacement: '',
  },
  'look at the lease before the database is opened': {
    file: 'src/queue/transaction/transaction.ts',
    text: "if (queue.locking === 'lease' && !lease.isOwned()) return AGAIN;",
    replacement: '',
  },
  'pages in memory until the commit': {
    file: 'src/queue/open.ts',
    text: "if (this.locking === 'lease') connection.execute('PRAGMA cache_spill = OFF');",
    replacement: '',
  },
  /** The lease is not in the directory of the database, so to take it says nothing to the client about that. */
  "lease in the queue's directory": {
    file: 'src/queue/transaction/transaction.ts',
    text: 'await acquireLease(directory, ',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
    replacement: 'await acquireLease(`${directory}.lease`, ',
  },
  "reader's look at the directory": {
    file: 'src/queue/open.ts',
    text: 'readdirSync(this.directory);',
    replacement: '',
  },
  'refusal of mounts without locks': {
    file: 'src/queue/mount.ts',
    text: "if (type === 'nfs' || type === 'nfs4') {",
    replacement: "if (type === 'none') {",
  },
  'journal of the runner': {
    file: 'src/runner/journal/journal.ts',
    text: 'this.write(this.descriptor, bytes, this.length);',
    replacement: '',
  },
} as const satisfies Record<string, Patch>;

export type Protection = keyof typeof PROTECTIONS;

/** What takes protections out of that which is bundled. Throws if a text is not found as it is expected. */
export function without(...protections: readonly Protection[]): Plugin {
  const patches: readonly Patch[] = protections.map((name) => PROTECTIONS[name]);
  const files = new Set(patches.map(({ file }) => join(ROOT, file)));
  return {
    name: 'sabotage',
    setup: (build) => {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        if (!files.has(path)) return undefined;
        const ours = patches.filter(({ file }) => join(ROOT, file) === path);
        return { contents: ours.reduce(applied, readFileSync(path, 'utf8')), loader: 'ts' };
      });
    },
  };
}

/** Builds the program without protections; gives the path of its `rq`. */
export async function programWithout(...protections: readonly Protection[]): Promise<string> {
  const directory = bundled(`rq without ${protections.join(' and ')}`.replaceAll(/[^a-z]+/g, '-'));
  for (const name of ['bin', 'package.json']) cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  await bundleProgram(join(directory, 'dist'), [without(...protections)]);
  return join(directory, 'bin', 'rq');
}

/** A source file without what a patch takes out. Throws if that is not found, once. */
export function applied(source: string, { file, text, replacement }: Patch): string {
  const [before, after, ...more] = source.split(text);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`cannot take a protection out of ${file}: it does not have, once, ${text}`);
  }
  return before + replacement + after;
}
