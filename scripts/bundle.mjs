// Bundles the program into few files, since each file that is opened costs a round trip on NFS.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { codeName, WRAPPER } from './compile-code.mjs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const root = new URL('..', import.meta.url).pathname;

/** The options of esbuild for ES modules. */
export const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // An addon cannot be bundled; src/store/connection.ts knows its path.
  external: ['bindings'],
  define: { RQ_VERSION: JSON.stringify(version) },
  // Bundled CommonJS modules call require for built-in modules.
  banner: {
    js: "import { createRequire as rqCreateRequire } from 'node:module'; const require = rqCreateRequire(import.meta.url);",
  },
  legalComments: 'none',
  minifySyntax: true,
  minifyWhitespace: true,
};

/** CommonJS has no import.meta.url. */
const commonJs = {
  format: 'cjs',
  // A script with a code cache cannot import dynamically.
  supported: { 'dynamic-import': false },
  outExtension: { '.js': '.cjs' },
  banner: { js: "const rqFileUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: { ...options.define, 'import.meta.url': 'rqFileUrl' },
};

const TABLE = '/src/cli/parse/command-table.ts';

/**
 * Splits the file of a command: the command table gets a copy that holds the specification only, so that its handler,
 * and what the handler imports, is loaded only when the command runs.
 */
export const specificationsOnly = {
  name: 'specifications-only',
  setup(build) {
    build.onResolve({ filter: /\/commands\/.*\.ts$/ }, ({ path, importer, kind, resolveDir }) =>
      importer.endsWith(TABLE) && kind === 'import-statement'
        ? { path: join(resolveDir, path), suffix: '?specification', sideEffects: false }
        : undefined,
    );
    // `yargs/helpers` exports the parser, and imports all of yargs for an export that rq does not use. esbuild keeps one
    // value of sideEffects for a file, whichever import of it comes first.
    build.onResolve({ filter: /platform-shims\/esm\.mjs$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      sideEffects: false,
    }));
  },
};

/** Bundles the program into a directory; plugins may change what is bundled. */
export async function bundleProgram(outdir, plugins = []) {
  // One CommonJS file: ES modules in several files take 1.4 of its processor time.
  await build({
    ...options,
    ...commonJs,
    plugins: [...plugins, specificationsOnly],
    // proper-lockfile needs only `fs`. graceful-fs would replace functions of `fs` for the whole process.
    alias: { 'graceful-fs': 'node:fs' },
    entryPoints: { rq: 'src/main.ts' },
    minifyIdentifiers: true,
    outdir,
  });
  const program = join(outdir, 'rq.cjs');
  // Small files for the calls that must start as fast as Node: the version, and completion.
  await build({
    ...options,
    ...commonJs,
    plugins: [...plugins, specificationsOnly],
    entryPoints: { launch: 'src/launch.ts', complete: 'src/complete.ts' },
    define: {
      ...commonJs.define,
      RQ_CODE: JSON.stringify(codeName(program)),
      RQ_WRAPPER: JSON.stringify(WRAPPER),
    },
    outdir,
    // The handlers, which the table imports dynamically.
    external: [...options.external, '../commands/*'],
  });
  // The thread that watches the main thread.
  await build({ ...options, ...commonJs, plugins, entryPoints: { watcher: 'src/cli/stall/watcher.ts' }, outdir });
  await build({ ...options, ...commonJs, plugins, entryPoints: { runner: 'src/runner/main.ts' }, outdir });
}
