import type { Plugin } from 'esbuild';

export function bundleProgram(outdir: string, plugins?: readonly Plugin[]): Promise<void>;
