import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { abandonedPartials, PARTIAL } from '../queue/archive/rotation-partials.ts';
import { stagedFiles, stagingCalls } from '../queue/files/staged-sweep.ts';
import type { StrayFiles } from '../queue/files/stray-files.ts';
import { type TemporaryName, temporaryNames } from '../queue/files/temporary-names.ts';
import { isUnchangedSince } from '../queue/files/unchanged.ts';
import type { Queue } from '../queue/open.ts';
import type { Look } from '../queue/transaction/look.ts';
import { type Finding, list, notChecked, note, problem, shortList } from './finding.ts';
import { PROBE } from './probe.ts';

/** A process that still uses a temporary file updates its mtime more often. */
const OLD_MS = 3_600_000;
/** Prefixes of temporary names: read locks, probes of the doctor, and new databases. */
const TEMPORARY = ['.look.', PROBE, 'db.recovering.'];

/** Finds files that killed processes and `recover` left in a queue and beside it. */
export function checkLeftovers(queue: Queue, serverNowMs: number): Finding[] {
  const { directory } = queue;
  const isOld = (path: string): boolean => {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats !== undefined && serverNowMs - stats.mtimeMs > OLD_MS;
  };
  const parent = dirname(directory);
  const isUnused = (path: string, id: string): boolean =>
    isOld(path) && isUnchangedSince(serverNowMs - OLD_MS, stagedFiles(directory, id));
  const left = [
    ...abandonedIn(parent, () => temporaryNames(parent), isOld),
    ...abandonedIn(join(directory, 'nodes'), () => temporaryNames(join(directory, 'nodes')), isOld),
    ...abandonedIn(join(directory, 'stdin'), () => stagingCalls(queue, 'stdin'), isUnused),
    ...abandonedIn(join(directory, 'data'), () => stagingCalls(queue, 'data'), isUnused),
    ...pathsIn(directory, TEMPORARY).filter(isOld),
    ...abandonedPartials(queue, parent),
  ];
  const kept = pathsIn(directory, ['db.damaged.']);
  const older = pathsIn(directory, ['db.version-']);
  const hasPartial = left.some((path) => basename(path).startsWith(PARTIAL));
  return list(
    left.length > 0 &&
      note(
        `a killed rq process left these files: ${shortList(left)}`,
        'the files use space',
        hasPartial
          ? `run: rq ${directory} rotate; then remove any listed files that remain`
          : `run: rm -r ${left.slice(0, 5).join(' ')}`,
      ),
    kept.length > 0 &&
      note(
        `"recover" kept damaged files: ${shortList(kept)}`,
        'the files use space',
        'remove the damaged files when you no longer need jobs from them',
      ),
    older.length > 0 &&
      note(
        `"upgrade" kept copies of the database: ${shortList(older)}`,
        'the files use space',
        'remove the copies when the upgraded queue works on all hosts',
      ),
  );
}

/** Reports files without a job, and jobs without their files. */
export function strayFileFindings(found: Look<StrayFiles>, queueDirectory: string): Finding[] {
  if (found.kind !== 'seen') {
    return [
      notChecked('doctor did not compare files with jobs: the database could not be read', 'see the check "database"'),
    ];
  }
  const { ownerless, missing } = found.seen;
  const paths = ownerless.slice(0, 5).map((name) => join(queueDirectory, name));
  return list(
    missing.length > 0 &&
      problem(
        `pending jobs need these missing files: ${shortList(missing)}`,
        'a job whose file is missing fails when it starts',
        `give each job another file: rq ${queueDirectory} update JID stdin=FILE (or data=PATH, script=FILE)`,
      ),
    ownerless.length > 0 &&
      note(
        `these files belong to no job: ${shortList(ownerless)}`,
        'the files use space',
        `if no submit, delete or rotate is running, run: rm -r ${paths.join(' ')}`,
      ),
  );
}

/** Whether a process of another host is dead can only be inferred from the age of its file. */
function abandonedIn(
  folder: string,
  names: () => readonly TemporaryName[],
  isUnused: (path: string, id: string) => boolean,
): string[] {
  try {
    const found = names().map(({ name, id, isAbandoned }) => ({ path: join(folder, name), id, isAbandoned }));
    return found.filter(({ path, id, isAbandoned }) => isAbandoned || isUnused(path, id)).map(({ path }) => path);
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
