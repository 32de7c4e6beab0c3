// How the program is bundled: `rq` with its lazily loaded parts, and the runner, each as few files as can be, since every
// file that is opened costs a round trip on NFS.
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const root = new URL('..', import.meta.url).pathname;

const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: ['better-sqlite3'],
  define: { RQ_VERSION: JSON.stringify(version) },
  // What is bundled of CommonJS still calls require for Node's own modules.
  banner: {
    js: "import { createRequire as rqCreateRequire } from 'node:module'; const require = rqCreateRequire(import.meta.url);",
  },
  legalComments: 'none',
  minifySyntax: true,
  minifyWhitespace: true,
};

/** Bundles it into a directory; plugins may change what is bundled. */
export async function bundleProgram(outdir, plugins = []) {
  await build({
    ...options,
    plugins,
    entryPoints: { rq: 'src/main.ts' },
    splitting: true,
    outdir,
    chunkNames: 'rq-[hash]',
  });
  // A small CommonJS file answers help and version: an ES module with parts takes 1.2 of the time of `node -e 0`, this 1.03.
  // The same for what the tab key asks: apart, so that the program's parts stay few.
  await build({
    ...options,
    plugins,
    entryPoints: { launch: 'src/launch.ts', complete: 'src/complete.ts' },
    outdir,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    banner: {},
    // The table of modes is wanted for its words only.
    external: [...options.external, '../modes/*'],
  });
  // The thread that watches the others, CommonJS too, for the same reason.
  await build({
    ...options,
    plugins,
    entryPoints: { watcher: 'src/cli/patience/watcher.ts' },
    outdir,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    banner: {},
  });
  await build({ ...options, plugins, entryPoints: { runner: 'src/runner/main.ts' }, outdir });
  copyFileSync(join(root, 'src/runner/fork-server.py'), join(outdir, 'fork-server.py'));
}
