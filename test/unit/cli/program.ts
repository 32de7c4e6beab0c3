import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
// Below node_modules, so that Node finds the packages that are not bundled.
const OUTPUT = `${ROOT}node_modules/.cache/rq-test/cli-${process.pid}`;

/** Bundles the program as the build does, and returns its path. */
export async function bundleProgram(): Promise<string> {
  mkdirSync(OUTPUT, { recursive: true });
  const { bundleProgram: bundle } = (await import(`${ROOT}scripts/bundle.mjs`)) as {
    bundleProgram: (outdir: string) => Promise<void>;
  };
  await bundle(OUTPUT);
  return `${OUTPUT}/rq.cjs`;
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a line of bash with `rq` as a function. */
export function bash(program: string, line: string, cwd: string, environment: NodeJS.ProcessEnv = {}): Ended {
  const script = `set -o pipefail; rq() { ${JSON.stringify(process.execPath)} ${JSON.stringify(program)} "$@"; }\n${line}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: cwd, ...environment },
    input: '',
    timeout: 30_000,
    maxBuffer: 1e9,
  });
  return { status, stdout, stderr };
}
