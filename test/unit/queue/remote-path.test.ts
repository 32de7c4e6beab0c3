import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Mount } from '../../../src/queue/mount.ts';
import { isRemote } from '../../../src/queue/remote-path.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const mount = (point: string, type: string): Mount => ({ point, type, options: new Set() });

test('a path is remote if it, or the target of a link in it, is on another machine', () => {
  const root = temporaryDirectory();
  const mounts = [mount('/', 'ext4'), mount('/nowhere/share', 'nfs4'), mount('/net', 'autofs')];
  mkdirSync(join(root, 'here'));
  symlinkSync('/nowhere/share/home', join(root, 'home'));
  symlinkSync('../here/../home/q', join(root, 'here', 'q'));
  symlinkSync('loop', join(root, 'loop'));
  const remote = (path: string): boolean => isRemote(path, mounts);
  expect(['/nowhere/share', '/nowhere/share/q', '/net/x'].map(remote)).toEqual([true, true, true]);
  expect(['home', 'home/q', 'here/q', 'here/q/x'].map((name) => remote(join(root, name)))).toEqual(Array(4).fill(true));
  expect(['here', 'missing/q', 'loop/q'].map((name) => remote(join(root, name)))).toEqual([false, false, false]);
  expect(remote('/nowhere/sharing')).toBe(false);
});
