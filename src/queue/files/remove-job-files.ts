import { join } from 'node:path';
import { removePaths } from './remove-paths.ts';
import { allNamesOfJob, type FileOwner, listJobFiles } from './stored-names.ts';

/** For more jobs than this, it is faster to list the folders first. */
const LIST_ABOVE = 100;

/** Removes the files of deleted jobs. Returns those that could not be removed; one that does not exist is no error. */
export async function removeJobFiles(queueDirectory: string, owners: readonly FileOwner[]): Promise<string[]> {
  const present = owners.length > LIST_ABOVE ? listJobFiles(queueDirectory) : undefined;
  const names = owners.flatMap((owner) => [...allNamesOfJob(owner)].filter((name) => present?.has(name) ?? true));
  return await removePaths(names.map((name) => join(queueDirectory, name)));
}
