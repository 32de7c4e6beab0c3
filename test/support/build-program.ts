import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Builds the program before the integration tests, which run the built program. */
export function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
}
