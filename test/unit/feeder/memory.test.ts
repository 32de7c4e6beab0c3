import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { usableMemory } from '../../../src/feeder/host/memory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PHYSICAL = 16e9;

/** A root directory with these files. */
function root(files: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

const NO_LIMIT = '9223372036854771712\n';

test.each([
  ['without cgroups, it is the physical memory', {}, PHYSICAL],
  [
    'the lowest limit of the groups above this process counts (version 2)',
    {
      'proc/self/cgroup': '0::/user.slice/user-1000.slice/session-1.scope\n',
      'sys/fs/cgroup/user.slice/memory.max': 'max\n',
      'sys/fs/cgroup/user.slice/user-1000.slice/memory.max': '4000000000\n',
      'sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope/memory.max': '8000000000\n',
    },
    4e9,
  ],
  [
    'the limit above which the kernel slows processes down counts as well',
    {
      'proc/self/cgroup': '0::/a\n',
      'sys/fs/cgroup/a/memory.high': '3000000000\n',
      'sys/fs/cgroup/a/memory.max': 'max\n',
    },
    3e9,
  ],
  [
    'in a container, the limit of its root group counts',
    { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': '2000000000\n' },
    2e9,
  ],
  [
    'the limit of version 1 counts',
    {
      'proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/job/step\n0::/\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT,
      'sys/fs/cgroup/memory/job/memory.limit_in_bytes': '5000000000\n',
      'sys/fs/cgroup/memory/job/step/memory.limit_in_bytes': NO_LIMIT,
    },
    5e9,
  ],
  [
    'in a container, the path of version 1 may not be visible',
    { 'proc/self/cgroup': '4:memory:/docker/1a2b\n', 'sys/fs/cgroup/memory/memory.limit_in_bytes': '1000000000\n' },
    1e9,
  ],
  [
    'a limit above the physical memory has no effect',
    { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': NO_LIMIT },
    PHYSICAL,
  ],
])('the usable memory: %s', (_, files, bytes) => {
  expect(usableMemory(root(files), PHYSICAL)).toBe(bytes);
});
