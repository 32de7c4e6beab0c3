import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { errorCode } from '../../job/errors.ts';

/** Where cgroup v2 is mounted (on hybrid hosts below `unified`), and the files that limit the memory of a group. */
const VERSION_2 = { mounts: ['sys/fs/cgroup', 'sys/fs/cgroup/unified'], files: ['memory.max', 'memory.high'] };
const VERSION_1 = { mounts: ['sys/fs/cgroup/memory'], files: ['memory.limit_in_bytes'] };

/**
 * The memory in bytes that the processes of this host may use: the physical memory, or the lowest limit of the cgroup of
 * this process and of the groups above it (cgroups(7)). Jobs are in the same group. `root` is the root of the file system.
 */
export function usableMemory(root = '/', physical = totalmem()): number {
  return Math.min(physical, ...cgroupLimits(root));
}

function cgroupLimits(root: string): number[] {
  const lines = (read(join(root, 'proc/self/cgroup')) ?? '').split('\n');
  return lines.flatMap((line) => {
    const [, id, controllers = '', path = ''] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (id === '0') return limitsOf(root, path, VERSION_2);
    return controllers.split(',').includes('memory') ? limitsOf(root, path, VERSION_1) : [];
  });
}

/** The limits of a group and of those above it. In a container, the path may name a group that is not visible. */
function limitsOf(root: string, path: string, { mounts, files }: typeof VERSION_1): number[] {
  const limits: number[] = [];
  for (let group = path; ; group = dirname(group)) {
    for (const mount of mounts) {
      for (const file of files) {
        const text = read(join(root, mount, group, file))?.trim();
        // Without a limit, the text is `max`, or in version 1 a number beyond any memory.
        if (text !== undefined && /^\d+$/.test(text)) limits.push(Number(text));
      }
    }
    if (group === '/') return limits;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
