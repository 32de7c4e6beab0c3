// Bundles the program into dist/ and makes its V8 code cache.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from './bundle.mjs';
import { compileCode } from './compile-code.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
rmSync(dist, { recursive: true, force: true });
await bundleProgram(dist);
compileCode(`${dist}/rq.cjs`);
