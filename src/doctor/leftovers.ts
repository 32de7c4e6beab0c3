import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { abandonedPartials, PARTIAL } from '../queue/archive/rotation-partials.ts';
import type { StrayFiles } from '../queue/files/stray-files.ts';
import { temporaryNames } from '../queue/files/temporary-names.ts';
import type { Queue } from '../queue/open.ts';
import type { Look } from '../queue/transaction/look.ts';
import { type Finding, notChecked, note, phrase, problem } from './finding.ts';
import { PROBE } from './probe.ts';

/** Nothing works on one file for so long without moving its time stamp. */
const OLD_MS = 3_600_000;
/** How names begin of what is tried, and of databases in the making. */
const TRIED = ['.look.', PROBE, 'db.recovering.'];

/** What killed processes and repairs left in a queue and beside it. */
export function checkLeftovers(queue: Queue, serverNowMs: number): Finding[] {
  const { directory } = queue;
  const isOld = (path: string): boolean => {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats !== undefined && serverNowMs - stats.mtimeMs > OLD_MS;
  };
  const parent = dirname(directory);
  const folders = [parent, ...['nodes', 'stdin', 'data'].map((folder) => join(directory, folder))];
  const left = [
    ...folders.flatMap((folder) => abandonedIn(folder, isOld)),
    ...pathsIn(directory, TRIED).filter(isOld),
    ...abandonedPartials(queue, parent),
  ];
  const kept = pathsIn(directory, ['db.damaged.']);
  return [
    ...(left.length === 0
      ? []
      : [
          note(
            `${phrase(left)}: left by a process of rq that was killed`,
            'it takes room',
            left.some((path) => basename(path).startsWith(PARTIAL))
              ? `run: rq ${directory} rotate; and remove the others`
              : `rm -r ${left.slice(0, 5).join(' ')}`,
          ),
        ]),
    ...(kept.length === 0
      ? []
      : [note(`${phrase(kept)}: kept by recover`, 'it takes room', 'remove it when nothing in it is missed')]),
  ];
}

/** What it means that files and jobs do not fit together. */
export function judgeStrays(found: Look<StrayFiles>, queueDirectory: string): Finding[] {
  if (found.kind !== 'seen') {
    return [notChecked('files were not compared with jobs: the database could not be read', 'see what is said of it')];
  }
  const { ownerless, missing } = found.seen;
  return [
    ...(missing.length === 0
      ? []
      : [
          problem(
            `${phrase(missing)}: jobs that wait are to get this, and it is not there`,
            'they will fail when they are started',
            `give them another by: rq ${queueDirectory} update JID stdin=FILE (or data=PATH)`,
          ),
        ]),
    ...(ownerless.length === 0
      ? []
      : [
          note(
            `${phrase(ownerless)}: of no job`,
            'it takes room; a new job of that jid gets files of other names',
            `remove it, if nothing submits, deletes or rotates just now: rm -r ${ownerless
              .slice(0, 5)
              .map((name) => join(queueDirectory, name))
              .join(' ')}`,
          ),
        ]),
  ];
}

/** Whether the process of another machine is gone, only the age of what it made can tell. */
function abandonedIn(folder: string, isOld: (path: string) => boolean): string[] {
  try {
    const found = temporaryNames(folder).map(({ name, isAbandoned }) => ({ path: join(folder, name), isAbandoned }));
    return found.filter(({ path, isAbandoned }) => isAbandoned || isOld(path)).map(({ path }) => path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}

function pathsIn(directory: string, starts: readonly string[]): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => starts.some((start) => name.startsWith(start)))
      .map((name) => join(directory, name))
      .sort();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}
