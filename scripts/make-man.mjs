// Writes man/rq.1 from the command table.
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { specificationsOnly } from './bundle.mjs';

const root = new URL('..', import.meta.url);
const { outputFiles } = await build({
  absWorkingDir: root.pathname,
  entryPoints: ['src/cli/help/man.ts'],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  plugins: [specificationsOnly],
  external: ['../commands/*'],
});
const { manPage } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
writeFileSync(new URL('man/rq.1', root), manPage());
