import { mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withLocalLock } from '../../../src/lease/local-lock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('work under one lock does not overlap, and no lock remains', async () => {
  const directory = temporaryDirectory();
  let inside = 0;
  const work = async (): Promise<number> => {
    inside += 1;
    const most = inside;
    await new Promise(setImmediate);
    inside -= 1;
    return most;
  };
  const each = Array.from({ length: 5 }, () => withLocalLock(join(directory, 'x'), 10_000, work));
  expect(await Promise.all(each)).toEqual([1, 1, 1, 1, 1]);
  expect(readdirSync(directory)).toEqual([]);
});

test('a held lock is an error after the timeout, and a stale one is removed', async () => {
  const directory = temporaryDirectory();
  const lock = join(directory, 'x.lock');
  mkdirSync(lock);
  await expect(withLocalLock(join(directory, 'x'), 200, () => 1)).rejects.toMatchObject({ code: 'BUSY' });
  utimesSync(lock, new Date(0), new Date(0));
  expect(await withLocalLock(join(directory, 'x'), 200, () => 1)).toBe(1);
});

test('an error of the work releases the lock', async () => {
  const directory = temporaryDirectory();
  const failing = withLocalLock(join(directory, 'x'), 200, () => {
    throw new Error('it failed');
  });
  await expect(failing).rejects.toThrow('it failed');
  expect(readdirSync(directory)).toEqual([]);
});
