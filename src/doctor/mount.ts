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
        "hosts do not see each other's locks, and two hosts that write at the same time damage the database",
        'change the mount, or create the queue again with --locking lease (see docs/nfs.md)',
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
        `the file system is mounted with ${soft}`,
        'a call that the server does not answer in time fails, and written data can be lost silently',
        'mount the file system with hard; processes then wait until the server answers',
      ),
    options.has('nocto') &&
      problem(
        'the file system is mounted with nocto',
        'this host does not check with the server for changes when it opens a file, so it misses changes by other hosts',
        'mount the file system without nocto',
      ),
    cacheS > DEFAULT_CACHE_S &&
      note(
        `this host may use file attributes that are up to ${cacheS} s old (actimeo, acregmax or acdirmax)`,
        'rq checks with the server where necessary, but jobs and users see changes by other hosts with a delay',
        `mount the file system with actimeo=${DEFAULT_CACHE_S} or less, or with the default cache options`,
      ),
    slow !== '' &&
      note(
        `the file system is mounted with ${slow}`,
        `every access is slower; rq does not need ${slow}, because rq syncs its files`,
        `mount the file system without ${slow}`,
      ),
    options.has('ro') &&
      note(
        'the file system is mounted read-only',
        'this host can read the queue, but cannot submit jobs or feed',
        'mount the file system with the option rw',
      ),
  );
}

function longestCacheS(options: ReadonlySet<string>): number {
  const times = [...options].flatMap((option) => /^(?:actimeo|ac(?:reg|dir)max)=(\d+)$/.exec(option)?.[1] ?? []);
  return Math.max(0, ...times.map(Number));
}
