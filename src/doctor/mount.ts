import { lockProblem, type Mount } from '../queue/mount.ts';
import type { Locking } from '../queue/open.ts';
import { type Finding, note, problem } from './finding.ts';

const IS_NFS = /^nfs4?$/;
/** The longest time that the attribute cache of an NFS client lasts if nobody asks for more (nfs(5), acregmax, acdirmax). */
const USUAL_CACHE_S = 60;

/** What a mount does to a queue with such locking, by its type and options. */
export function judgeMount(mount: Mount, locking: Locking): Finding[] {
  const locks = locking === 'lease' ? undefined : lockProblem(mount);
  const noLocks =
    locks === undefined
      ? []
      : [
          problem(
            locks,
            'hosts do not see the locks of each other, so that two that write at once damage the database',
            'have the mount changed, or make the queue anew with --locking lease (docs/nfs.md)',
          ),
        ];
  return [...noLocks, ...(IS_NFS.test(mount.type) ? judgeNfs(mount.options) : [])];
}

function judgeNfs(options: ReadonlySet<string>): Finding[] {
  const soft = ['soft', 'softerr'].find((option) => options.has(option));
  const slow = ['noac', 'sync'].filter((option) => options.has(option));
  const cacheS = longestCacheS(options);
  const findings: (Finding | false)[] = [
    soft !== undefined &&
      problem(
        `it is mounted with ${soft}`,
        'what the server does not answer in time fails, and what was written may be lost without a word',
        'mount it with hard: then everything waits for the server, and goes on',
      ),
    options.has('nocto') &&
      problem(
        'it is mounted with nocto',
        'this host does not ask the server when it opens a file, and so misses what other hosts changed',
        'mount it without nocto',
      ),
    cacheS > USUAL_CACHE_S &&
      note(
        `this host may believe for ${cacheS} s what it knows of a file (actimeo, acregmax or acdirmax)`,
        'rq asks the server anew where that counts; jobs and people see late what other hosts changed',
        `mount it with actimeo=${USUAL_CACHE_S} or less, or without`,
      ),
    slow.length > 0 &&
      note(
        `it is mounted with ${slow.join(' and ')}`,
        'that makes every access slower, and rq does not need it: it syncs what has to be synced',
        `mount it without ${slow.join(' and ')}`,
      ),
    options.has('ro') &&
      note(
        'it is mounted read-only',
        'this host can look at the queue, and neither submit nor feed',
        'mount it with rw',
      ),
  ];
  return findings.filter((finding): finding is Finding => finding !== false);
}

function longestCacheS(options: ReadonlySet<string>): number {
  const times = [...options].flatMap((option) => /^(?:actimeo|ac(?:reg|dir)max)=(\d+)$/.exec(option)?.[1] ?? []);
  return Math.max(0, ...times.map(Number));
}
