import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
// Below node_modules, so that Node resolves the modules that are not bundled.
const OUTPUT = `${ROOT}node_modules/.cache/rq-test`;

let bundles = 0;

/** A path for a bundle of this test process. */
export function bundled(name: string): string {
  mkdirSync(OUTPUT, { recursive: true });
  return `${OUTPUT}/${name}-${process.pid}`;
}

/** Bundles a program of test/fixtures, named without its ending. Returns the path of the bundle. */
export async function bundleFixture(name: string, plugin?: Plugin): Promise<string> {
  bundles += 1;
  const outfile = `${bundled(name)}-${bundles}.mjs`;
  await build({
    entryPoints: [`${ROOT}test/fixtures/${name}.ts`],
    plugins: plugin === undefined ? [] : [plugin],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['better-sqlite3'],
    banner: { js: "import { createRequire as cr } from 'node:module'; const require = cr(import.meta.url);" },
    outfile,
  });
  return outfile;
}

/** A fixture that runs as a separate process and takes requests as messages. */
export class FixtureProcess {
  readonly process: ChildProcess;

  constructor(program: string, words: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
    this.process = fork(program, words, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  send(message: object): void {
    this.process.send(message);
  }

  /** The next message from the process. Rejects if the process exits first. */
  async message(): Promise<Record<string, unknown>> {
    const ended = new AbortController();
    const exit = once(this.process, 'exit', { signal: ended.signal }).then(
      ([code, signal]) => Promise.reject(new Error(`the fixture exited with ${code ?? signal}`)),
      () => new Promise<never>(() => undefined),
    );
    try {
      const [message] = await Promise.race([once(this.process, 'message'), exit]);
      return message as Record<string, unknown>;
    } finally {
      ended.abort();
    }
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}
