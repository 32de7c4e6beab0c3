// Bundles the program into dist/, makes its V8 code cache and compiles rq-starter.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from './bundle.mjs';
import { compileCode } from './compile-code.mjs';
import { buildStarter } from './starter.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
rmSync(dist, { recursive: true, force: true });
await bundleProgram(dist);
compileCode(`${dist}/rq.cjs`);
buildStarter(`${dist}/rq-starter`);
