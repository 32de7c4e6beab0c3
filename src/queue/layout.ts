import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA } from '../store/schema.ts';

/** The folders of a queue. */
export const FOLDERS = ['nodes', 'bin', 'stdin', 'stdout', 'stderr', 'data'] as const;

/** Makes all that a queue's directory has but the database; `generation` is that of the lease, which is free. */
export function layOut(directory: string, generation: number): void {
  for (const folder of FOLDERS) mkdirSync(join(directory, folder));
  mkdirSync(join(directory, `lease.${generation}.free`));
  writeFileSync(join(directory, 'db.schema'), SCHEMA.trimStart());
}
