// How the program is bundled: as few files as can be, since every file that is opened costs a round trip on NFS.
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { codeName, WRAPPER } from './compile-code.mjs';
import { lazyBuiltins } from './lazy-builtins.mjs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const root = new URL('..', import.meta.url).pathname;

/** As esbuild takes them, for ES modules. */
export const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // An addon cannot be bundled; src/store/connection.ts says where it is, and nothing searches for it.
  external: ['bindings'],
  define: { RQ_VERSION: JSON.stringify(version) },
  // What is bundled of CommonJS still calls require for Node's own modules.
  banner: {
    js: "import { createRequire as rqCreateRequire } from 'node:module'; const require = rqCreateRequire(import.meta.url);",
  },
  legalComments: 'none',
  minifySyntax: true,
  minifyWhitespace: true,
};

/** CommonJS has another name for the place of a file. */
const commonJs = {
  format: 'cjs',
  // Code that was compiled before cannot import.
  supported: { 'dynamic-import': false },
  outExtension: { '.js': '.cjs' },
  banner: { js: "const rqFileUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: { ...options.define, 'import.meta.url': 'rqFileUrl' },
};

/** Bundles it into a directory; plugins may change what is bundled. */
export async function bundleProgram(outdir, plugins = []) {
  // One CommonJS file, whose compiled code is kept beside it: ES modules in parts take 1.4 of its processor time.
  await build({
    ...options,
    ...commonJs,
    plugins: [...plugins, lazyBuiltins],
    // proper-lockfile needs only `fs`. graceful-fs would replace functions of `fs` for the whole process.
    alias: { 'graceful-fs': 'node:fs' },
    entryPoints: { rq: 'src/main.ts' },
    minifyIdentifiers: true,
    outdir,
  });
  const program = join(outdir, 'rq.cjs');
  // A small file answers help and version: it takes little more than `node -e 0`. The same for what the tab key asks.
  await build({
    ...options,
    ...commonJs,
    plugins,
    entryPoints: { launch: 'src/launch.ts', complete: 'src/complete.ts' },
    define: {
      ...commonJs.define,
      RQ_CODE: JSON.stringify(codeName(program)),
      RQ_WRAPPER: JSON.stringify(WRAPPER),
    },
    outdir,
    // The table of commands is wanted for its words only.
    external: [...options.external, '../commands/*'],
  });
  // The thread that watches the main thread.
  await build({ ...options, ...commonJs, plugins, entryPoints: { watcher: 'src/cli/stall/watcher.ts' }, outdir });
  await build({ ...options, ...commonJs, plugins, entryPoints: { runner: 'src/runner/main.ts' }, outdir });
  copyFileSync(join(root, 'src/runner/start/fork-server.py'), join(outdir, 'fork-server.py'));
}
