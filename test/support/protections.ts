// Builds the program, or a fixture, without one of its protections, by replacing text of a source file during bundling.
// The tests show that faults then do harm, so that the tests of the complete program mean something.
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleProgram } from '../../scripts/bundle.mjs';
import { bundled, ROOT } from './fixture.ts';

interface Patch {
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly text: string;
  readonly replacement: string;
}

export const PROTECTIONS = {
  fence: {
    file: 'src/queue/transaction/transaction.ts',
    text: 'if (this.fence >= lease.generation) return this.retryWithHigherLease(connection);',
    replacement: '',
  },
  'ownership check': {
    file: 'src/queue/transaction/transaction.ts',
    text: 'if (!lease.isOwned()) return this.retryWithHigherLease(connection);',
    replacement: '',
  },
  'lease check before the database is opened': {
    file: 'src/queue/transaction/transaction.ts',
    text: "if (queue.locking === 'lease' && !lease.isOwned()) return RETRY;",
    replacement: '',
  },
  'no cache spill before the commit': {
    file: 'src/queue/open.ts',
    text: "if (this.locking === 'lease') connection.execute('PRAGMA cache_spill = OFF');",
    replacement: '',
  },
  /** Elsewhere, acquiring the lease would not make the NFS client revalidate the directory of the database. */
  "lease in the queue's directory": {
    file: 'src/queue/open.ts',
    text: 'new LeaseClient(directory, ',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is program text
    replacement: 'new LeaseClient(`${directory}.lease`, ',
  },
  "reader's revalidation of the directory": {
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

/** An esbuild plugin that removes protections. Throws if a text does not occur exactly once. */
export function without(...protections: readonly Protection[]): Plugin {
  return patching(protections.map((name) => PROTECTIONS[name]));
}

function patching(patches: readonly Patch[]): Plugin {
  const files = new Set(patches.map(({ file }) => join(ROOT, file)));
  return {
    name: 'patch',
    setup: (build) => {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        if (!files.has(path)) return undefined;
        const ours = patches.filter(({ file }) => join(ROOT, file) === path);
        return { contents: ours.reduce(applyPatch, readFileSync(path, 'utf8')), loader: 'ts' };
      });
    },
  };
}

/** Builds the program without protections. Returns the path of its `rq`. */
export async function programWithout(...protections: readonly Protection[]): Promise<string> {
  const name = `rq without ${protections.join(' and ')}`.replaceAll(/[^a-z]+/g, '-');
  return join(await buildProgram(name, without(...protections)), 'bin', 'rq');
}

/** Builds a program whose schema is one version newer, without a difference. Returns the directory that contains it. */
export async function newerProgram(): Promise<string> {
  const text = 'export const SCHEMA_VERSION = ';
  const patch = { file: 'src/store/schema.ts', text, replacement: `${text}1 + ` };
  return await buildProgram('newer-rq', patching([patch]));
}

async function buildProgram(programName: string, plugin: Plugin): Promise<string> {
  const directory = bundled(programName);
  for (const name of ['bin', 'package.json']) cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  await bundleProgram(join(directory, 'dist'), [plugin]);
  cpSync(join(ROOT, 'dist/rq-starter'), join(directory, 'dist/rq-starter'));
  return directory;
}

/** Applies a patch to a source text. Throws if the text does not occur exactly once. */
export function applyPatch(source: string, { file, text, replacement }: Patch): string {
  const [before, after, ...more] = source.split(text);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`cannot remove a protection from ${file}: this text does not occur exactly once: ${text}`);
  }
  return before + replacement + after;
}
