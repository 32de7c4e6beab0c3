import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Bundles the runner as the build does. Returns the path of the bundle. */
export async function buildRunner(): Promise<string> {
  const folder = `${ROOT}node_modules/.cache/rq-test`;
  const outfile = `${folder}/runner-${process.pid}.mjs`;
  await build({
    entryPoints: [`${ROOT}src/runner/main.ts`],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile,
  });
  copyFileSync(`${ROOT}src/runner/start/fork-server.py`, `${folder}/fork-server.py`);
  return outfile;
}
