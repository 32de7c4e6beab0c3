import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crashAt } from '../../job/crash-points.ts';
import { errorCode } from '../../job/errors.ts';
import { bootId, hostName, pidNamespace } from '../../job/host.ts';
import { processStartTime } from '../../job/process.ts';
import { unfinishedRotations } from '../../store/rotations.ts';
import { documentText } from '../../yaml/document.ts';
import { readFlatDocument } from '../../yaml/flat.ts';
import { removePaths } from '../files/remove-paths.ts';
import { sweepAbandoned, temporaryName } from '../files/temporary-names.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';

/** How the temporary directory of a rotation is called, with an id behind it. */
export const PARTIAL = '.rq-rotation.';
const OWNER = 'owner';
const ABANDONED_MS = 7 * 86_400_000;

/**
 * Makes the temporary directory of a rotation. It says from the first whose it is, so that others can tell when it was
 * left behind.
 */
export function makePartial(partial: string, queueDirectory: string): void {
  const { pid } = process;
  const owner = { queue: queueDirectory, ...placeOfPids(), pid, start_time: processStartTime(pid) };
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

/** Removes such a directory; if this process is killed over it, what is left has a name that tells so. */
export async function removePartial(partial: string): Promise<void> {
  const temporary = join(dirname(partial), temporaryName());
  let left = temporary;
  try {
    renameSync(partial, temporary);
  } catch (error) {
    // Another has removed it, or there is no room for the name.
    if (errorCode(error) === undefined) throw error;
    left = partial;
  }
  await removePaths([left]);
}

/**
 * Removes what killed rotations of this queue left in a directory and never committed; or only this one of them.
 */
export async function sweepPartials(queue: Queue, directory: string, only?: string): Promise<void> {
  // Before the table is read: one that is committed in between would be missing in it.
  const left = only === undefined ? abandonedPartials(queue, directory) : [only];
  if (left.length === 0) return;
  const committed = await read(queue, unfinishedRotations);
  const isCommitted = (path: string): boolean => committed.some(({ partial }) => dirname(partial) === path);
  for (const path of left.filter((each) => !isCommitted(each))) await removePartial(path);
}

/** What killed rotations of this queue left in a directory, committed or not: their paths. */
export function abandonedPartials(queue: Queue, directory: string): string[] {
  const paths = namesIn(directory).map((name) => join(directory, name));
  return paths.filter((path) => isAbandoned(path, queue));
}

/** Within this a pid means one process. */
function placeOfPids(): { readonly host: string; readonly boot: string; readonly namespace: number } {
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
    if (Object.entries(placeOfPids()).every(([key, value]) => owner[key] === String(value))) {
      return String(processStartTime(Number(owner['pid']))) !== owner['start_time'];
    }
    // Of another machine, perhaps of the same name, or a container: only age tells that it is not at work.
    return Date.parse(clock.now()) - statSync(path).mtimeMs > ABANDONED_MS;
  } catch (error) {
    // Another has just removed it.
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
