import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Bundles the runner as a build does; gives the path of what node can run. */
export async function buildRunner(): Promise<string> {
  const outfile = `${ROOT}node_modules/.cache/rq-test/runner-${process.pid}.mjs`;
  await build({
    entryPoints: [`${ROOT}src/runner/main.ts`],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile,
  });
  return outfile;
}
