import { expect, test } from 'vitest';
import { mountFindings } from '../../../src/doctor/mount.ts';
import { behaviourOptions, type Mount, mountOf } from '../../../src/queue/mount.ts';

/** The mount of /tmp by a line as /proc/self/mountinfo has it. */
function mounted(type: string, options: string): Mount {
  return mountOf('/tmp', `36 35 0:50 / /tmp rw,relatime shared:1 - ${type} server:/x ${options}\n`);
}

const USUAL = 'rw,vers=4.2,rsize=1048576,wsize=1048576,namlen=255,hard,proto=tcp,timeo=600,retrans=2,sec=sys';

test.each([
  ['nfs4', `${USUAL},clientaddr=10.0.0.2,local_lock=none,addr=10.0.0.1`],
  ['nfs4', `${USUAL},acregmax=60,acdirmax=60`],
  ['nfs4', `${USUAL},acregmin=1,acregmax=10`],
  ['nfs', 'rw,vers=3,hard,proto=tcp,mountaddr=10.0.0.1,local_lock=none'],
  ['ext4', 'rw,sync'],
  ['tmpfs', 'ro'],
])('%s with %s has no findings', (type, options) => {
  expect(mountFindings(mounted(type, options), 'posix')).toEqual([]);
});

test.each([
  ['nfs', 'rw,vers=3,hard,nolock', 'problem', 'the file system is mounted with nolock'],
  ['nfs4', 'rw,vers=4.2,hard,local_lock=all', 'problem', 'the file system is mounted with local_lock=all'],
  ['nfs4', 'rw,vers=4.2,hard,local_lock=posix', 'problem', 'the file system is mounted with local_lock=posix'],
  ['lustre', 'rw', 'problem', 'Lustre is mounted without flock'],
  ['fuse.sshfs', 'rw', 'problem', 'fuse.sshfs does not pass locks on'],
  ['nfs4', 'rw,vers=4.2,soft', 'problem', 'the file system is mounted with soft'],
  ['nfs4', 'rw,vers=4.2,softerr', 'problem', 'the file system is mounted with softerr'],
  ['nfs4', 'rw,vers=4.2,hard,nocto', 'problem', 'the file system is mounted with nocto'],
  ['nfs4', 'rw,vers=4.2,hard,acregmin=600,acregmax=600', 'note', 'file attributes that are up to 600 s old'],
  ['nfs', 'rw,vers=3,hard,acdirmax=61', 'note', 'file attributes that are up to 61 s'],
  ['nfs4', 'rw,vers=4.2,hard,actimeo=3600', 'note', 'file attributes that are up to 3600 s'],
  ['nfs4', 'rw,sync,noac,hard', 'note', 'the file system is mounted with noac and sync'],
  ['nfs4', 'ro,vers=4.2,hard', 'note', 'the file system is mounted read-only'],
])('%s with %s is a %s', (type, options, level, found) => {
  expect(mountFindings(mounted(type, options), 'posix')).toMatchObject([
    {
      level,
      found: expect.stringContaining(found),
      why: expect.stringMatching(/./),
      advice: expect.stringMatching(/./),
    },
  ]);
});

test('a queue with lease locking needs a hard mount, but no locks', () => {
  expect(mountFindings(mounted('nfs', 'rw,vers=3,hard,nolock'), 'lease')).toEqual([]);
  expect(mountFindings(mounted('nfs', 'rw,vers=3,soft,nolock'), 'lease')).toMatchObject([{ level: 'problem' }]);
});

test('a feeder reports the options that affect behaviourOptions, and no addresses or users', () => {
  const mount = mounted('nfs4', `${USUAL},clientaddr=10.0.0.2,local_lock=none,addr=10.0.0.1,acregmax=90`);
  expect(behaviourOptions(mount).join(',')).toBe('acregmax=90,hard,local_lock=none,proto=tcp,rw,vers=4.2');
  expect(behaviourOptions(mounted('cifs', 'rw,username=me,vers=3.1.1,soft')).join(',')).toBe('rw,soft,vers=3.1.1');
});
