import { lockProblem, type Mount } from '../queue/mount.ts';
import type { Locking } from '../queue/open.ts';
import { type Finding, list, note, problem } from './finding.ts';

const IS_NFS = /^nfs4?$/;
/** The default of acregmax and acdirmax, in seconds (nfs(5)). */
const DEFAULT_CACHE_S = 60;

/** Checks the type and the options of a mount for a queue with this kind of locking. */
export function mountFindings(mount: Mount, locking: Locking): Finding[] {
  const locks = locking === 'lease' ? undefined : lockProblem(mount);
  const noLocks = list(
    locks !== undefined &&
      problem(
        locks,
        "hosts do not see each other's locks; two hosts that write at once damage the database",
        'change the mount, or create the queue again with --locking lease (docs/nfs.md)',
      ),
  );
  return [...noLocks, ...(IS_NFS.test(mount.type) ? nfsFindings(mount.options) : [])];
}

function nfsFindings(options: ReadonlySet<string>): Finding[] {
  const soft = ['soft', 'softerr'].find((option) => options.has(option));
  const slow = ['noac', 'sync'].filter((option) => options.has(option)).join(' and ');
  const cacheS = longestCacheS(options);
  return list(
    soft !== undefined &&
      problem(
        `it is mounted with ${soft}`,
        'a call that the server does not answer in time fails, and written data can be lost silently',
        'mount it with hard; processes then wait for the server and continue',
      ),
    options.has('nocto') &&
      problem(
        'it is mounted with nocto',
        'this host does not ask the server when it opens a file, and so misses changes by other hosts',
        'mount it without nocto',
      ),
    cacheS > DEFAULT_CACHE_S &&
      note(
        `this host may use file attributes that are ${cacheS} s old (actimeo, acregmax or acdirmax)`,
        'rq asks the server where this matters, but jobs and users see changes by other hosts late',
        `mount it with actimeo=${DEFAULT_CACHE_S} or less, or without these options`,
      ),
    slow !== '' &&
      note(
        `it is mounted with ${slow}`,
        'every access is slower; rq does not need this, because it syncs its files',
        `mount it without ${slow}`,
      ),
    options.has('ro') &&
      note('it is mounted read-only', 'this host can read the queue, but cannot submit or feed', 'mount it with rw'),
  );
}

function longestCacheS(options: ReadonlySet<string>): number {
  const times = [...options].flatMap((option) => /^(?:actimeo|ac(?:reg|dir)max)=(\d+)$/.exec(option)?.[1] ?? []);
  return Math.max(0, ...times.map(Number));
}
