import { join } from 'node:path';
import { NumberedFiles } from './numbered-files.ts';
import type { RecordFile } from './record-file.ts';
import { RemainingPaths, removePaths } from './remove-paths.ts';
import { allNamesOfJob, type FileOwner } from './stored-names.ts';

/** For more jobs than this, it is faster to list the folders first. */
const LIST_ABOVE = 100;

/** Removes the files of deleted jobs. Returns those that could not be removed; one that does not exist is no error. */
export async function removeJobFiles(queueDirectory: string, owners: RecordFile<FileOwner>): Promise<RemainingPaths> {
  const present = owners.count > LIST_ABOVE ? new NumberedFiles(queueDirectory) : undefined;
  const remaining = new RemainingPaths();
  for (const batch of owners.batches()) {
    const names = batch.flatMap((owner) => [...allNamesOfJob(owner)].filter((name) => present?.mayExist(name) ?? true));
    remaining.add(await removePaths(names.map((name) => join(queueDirectory, name))));
  }
  return remaining;
}
