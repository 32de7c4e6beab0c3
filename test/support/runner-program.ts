import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildStarter as compileStarter } from '../../scripts/starter.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Bundles the runner as the build does, with the starter beside it. Returns the path of the bundle. */
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
  buildStarter(join(dirname(outfile), 'rq-starter'));
  return outfile;
}

/** Places the starter at a path, with RQ_SANITIZE with sanitizers. Another test may run the program that is there. */
export function buildStarter(target: string): void {
  const temporary = `${target}.${process.pid}`;
  compileStarter(temporary, { sanitize: process.env['RQ_SANITIZE'] !== undefined });
  renameSync(temporary, target);
}
