import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RqError } from '../../job/errors.ts';
import { RecordFile } from '../files/record-file.ts';

/** In the temporary directory of a rotation: the names of the files to remove from the queue, relative to it. */
const LIST = '.rq-rotation.files';

/** Creates the list of a rotation, whose directory or archive is at `source` in the temporary directory. */
export function createFileList(source: string): RecordFile<string> {
  return RecordFile.create(listPath(source));
}

/** Takes names from the list. */
export function removeFromList(source: string, removed: ReadonlySet<string>): void {
  const path = listPath(source);
  const list = openFileList(source);
  if (list === undefined)
    throw new RqError('IO', `cannot rotate: ${path} was removed during the rotation; run rotate again`);
  try {
    const kept = RecordFile.create<string>(`${path}.new`);
    try {
      for (const names of list.batches()) for (const name of names) if (!removed.has(name)) kept.add(name);
      kept.flush();
    } finally {
      kept.close();
    }
    renameSync(`${path}.new`, path);
  } finally {
    list.close();
  }
}

/** Opens the list; undefined if it does not exist. */
export function openFileList(source: string): RecordFile<string> | undefined {
  return RecordFile.open(listPath(source));
}

export function listPath(source: string): string {
  return join(dirname(source), LIST);
}
