import { join } from 'node:path';
import { jobFilesAfter } from '../../store/file-owners.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { removePaths } from './remove-paths.ts';
import { FILE_KINDS, isStagedName, namesInFolder } from './stored-names.ts';
import { type TemporaryName, temporaryNames } from './temporary-names.ts';

/** The folders of the markers. */
const FOLDERS = ['stdin', 'data'] as const;
const PAGE_JOBS = 20_000;

/**
 * Removes the files that killed submits and updates of this host staged and that no row refers to. The rows are read
 * after the process was seen to have ended: what it committed is in them.
 */
export async function sweepStagedFiles(queue: Queue): Promise<void> {
  const { directory } = queue;
  const left = FOLDERS.flatMap((folder) =>
    stagingCalls(queue, folder)
      .filter(({ isAbandoned }) => isAbandoned)
      .map(({ name, id }) => ({ path: join(directory, folder, name), id })),
  );
  if (left.length === 0) return;
  const unreferenced = new Set(stagedNames(directory, new Set(left.map(({ id }) => id))));
  if (unreferenced.size > 0) await withoutReferenced(queue, unreferenced);
  await removePaths([...unreferenced].map((name) => join(directory, name)));
  // Last, so that a sweep that is killed is done again.
  await removePaths(left.map(({ path }) => path));
}

/** The markers, in a folder, of calls that stage files. A call is not abandoned as long as its staged files change. */
export function stagingCalls({ directory, clock }: Queue, folder: 'stdin' | 'data'): TemporaryName[] {
  return temporaryNames(join(directory, folder), { clock, filesOf: (id) => stagedFiles(directory, id) });
}

/** The paths of the files that a call staged. */
export function stagedFiles(directory: string, id: string): string[] {
  return stagedNames(directory, new Set([id])).map((name) => join(directory, name));
}

/** The staged files of calls with these ids, relative to the queue. */
function stagedNames(directory: string, ids: ReadonlySet<string>): string[] {
  return FILE_KINDS.flatMap((kind) => namesInFolder(directory, kind)).filter((name) => {
    return isStagedName(name) && ids.has(name.slice(name.indexOf('/') + 1, name.indexOf('.')));
  });
}

/** Takes from the names those that rows refer to, by short reads: the row of a job keeps its jid. */
async function withoutReferenced(queue: Queue, names: Set<string>): Promise<void> {
  for (let after = 0; ; ) {
    const rows = await read(queue, (connection) => jobFilesAfter(connection, after, PAGE_JOBS));
    for (const row of rows) {
      for (const kind of FILE_KINDS) names.delete(row[kind] ?? '');
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.jid;
  }
}
