import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode } from '../../job/errors.ts';
import { bootId, hostName, pidNamespace } from '../../job/host.ts';
import { processStartTime } from '../../job/process.ts';
import { unfinishedRotations } from '../../store/rotations.ts';
import { documentText } from '../../yaml/document.ts';
import { readFlatDocument } from '../../yaml/flat.ts';
import { removeRenamed } from '../files/remove-paths.ts';
import { sweepAbandoned, temporaryName } from '../files/temporary-names.ts';
import { isUnchangedSince, sevenDaysAgo } from '../files/unchanged.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';

/** The name of a rotation's temporary directory, followed by the id of the rotation. */
export const PARTIAL = '.rq-rotation.';
const OWNER = 'owner';

/** Makes the temporary directory of a rotation. It never exists without the file that identifies its process. */
export function makePartial(partial: string, queueDirectory: string): void {
  const { pid } = process;
  const owner = { queue: queueDirectory, ...pidScope(), pid, start_time: processStartTime(pid) };
  const temporary = join(dirname(partial), temporaryName());
  try {
    sweepAbandoned(dirname(partial));
    mkdirSync(temporary, { mode: 0o700 });
    crashAt('rotation-made');
    writeFileSync(join(temporary, OWNER), documentText(owner));
    renameSync(temporary, partial);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Removes the temporary directories of killed rotations of this queue that were not committed; or only the given one. */
export async function sweepPartials(queue: Queue, directory: string, only?: string): Promise<void> {
  // Listed before the table is read, so that a rotation that is committed meanwhile is in the table.
  const left = only === undefined ? abandonedPartials(queue, directory) : [only];
  if (left.length === 0) return;
  const committed = await read(queue, unfinishedRotations);
  const isCommitted = (path: string): boolean => committed.some(({ partial }) => dirname(partial) === path);
  for (const path of left.filter((each) => !isCommitted(each))) await removeRenamed(path);
}

/** The paths of the temporary directories that killed rotations of this queue left, committed or not. */
export function abandonedPartials(queue: Queue, directory: string): string[] {
  const paths = namesIn(directory).map((name) => join(directory, name));
  return paths.filter((path) => isAbandoned(path, queue));
}

/** The scope in which a pid identifies one process. */
function pidScope(): { readonly host: string; readonly boot: string; readonly namespace: number } {
  return { host: hostName(), boot: bootId(), namespace: pidNamespace() };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.startsWith(PARTIAL));
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function isAbandoned(path: string, { directory, clock }: Queue): boolean {
  try {
    const owner = readFlatDocument(readFileSync(join(path, OWNER), 'utf8'));
    if (owner['queue'] !== directory) return false;
    if (Object.entries(pidScope()).every(([key, value]) => owner[key] === String(value))) {
      return String(processStartTime(Number(owner['pid']))) !== owner['start_time'];
    }
    // A process of another machine, perhaps of the same name, or of a container cannot be looked up.
    return isUnchangedSince(sevenDaysAgo(clock), [path]);
  } catch (error) {
    // Another process has just removed it.
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
