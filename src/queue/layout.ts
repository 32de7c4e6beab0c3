import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA } from '../store/schema.ts';

/** The folders of a queue. */
export const FOLDERS = ['nodes', 'bin', 'stdin', 'stdout', 'stderr', 'data'] as const;

/** Makes everything in a queue's directory except the database. `generation` is that of the lease, which is free. */
export function createLayout(directory: string, generation: number): void {
  for (const folder of FOLDERS) mkdirSync(join(directory, folder));
  mkdirSync(join(directory, `lease.${generation}.free`));
  writeFileSync(join(directory, 'db.schema'), SCHEMA.trimStart());
}
