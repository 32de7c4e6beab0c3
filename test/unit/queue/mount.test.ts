import { expect, test } from 'vitest';
import { lockProblem, mountOf } from '../../../src/queue/mount.ts';

const line = (point: string, type: string, options: string): string =>
  `36 35 0:50 / ${point} rw,relatime shared:1 - ${type} server:/x ${options}`;

function problemOf(type: string, options: string): string | undefined {
  return lockProblem(mountOf('/tmp', `${line('/', 'ext4', 'rw')}\n${line('/tmp', type, options)}\n`));
}

test('the mount of a path is the longest one above it, and of two on one point the later one', () => {
  const text = [
    line('/', 'ext4', 'rw'),
    line('/tm', 'xfs', 'rw'),
    line('/tmp', 'tmpfs', 'rw'),
    line('/tmp', 'nfs4', 'rw'),
  ];
  expect(mountOf('/tmp', text.join('\n'))).toMatchObject({ point: '/tmp', type: 'nfs4' });
  expect(mountOf('/usr', text.join('\n'))).toMatchObject({ point: '/', type: 'ext4' });
});

test('a mount point may contain spaces', () => {
  expect(mountOf('/', line('/with\\040space', 'nfs4', 'rw')).type).toBe('unknown');
});

test.each([
  ['nfs4', 'rw,vers=4.2,local_lock=none'],
  ['nfs', 'rw,vers=3,local_lock=none'],
  ['nfs', 'rw,vers=3,local_lock=flock'],
  ['ext4', 'rw'],
  ['lustre', 'rw,flock'],
  ['fuse.glusterfs', 'rw'],
])('%s with %s has locks that other hosts see', (type, options) => {
  expect(problemOf(type, options)).toBeUndefined();
});

test.each([
  ['nfs', 'rw,vers=3,nolock,local_lock=all', 'nolock'],
  ['nfs', 'rw,vers=3,local_lock=posix', 'local_lock=posix'],
  ['nfs4', 'rw,local_lock=all', 'local_lock=all'],
  ['lustre', 'rw,localflock', 'flock'],
  ['fuse.sshfs', 'rw', 'fuse.sshfs'],
])('%s with %s has none, and the reason is given', (type, options, word) => {
  expect(problemOf(type, options)).toContain(word);
});
