import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { placeRotation } from '../../../src/queue/archive/rotation-place.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: string;
let partial: string;
let path: string;

beforeEach(() => {
  directory = temporaryDirectory();
  partial = join(directory, 'partial');
  path = join(directory, 'r');
});

test('an archive is renamed to its path', () => {
  writeFileSync(partial, 'jobs');
  expect(placeRotation(partial, path)).toBe(path);
  expect(readdirSync(directory)).toEqual(['r']);
});

test('no file, directory or dangling link is overwritten', () => {
  for (const make of [
    () => writeFileSync(partial, 'jobs'),
    () => {
      mkdirSync(partial);
      writeFileSync(join(partial, 'db'), 'jobs');
    },
  ]) {
    directory = temporaryDirectory();
    partial = join(directory, 'partial');
    path = join(directory, 'r');
    make();
    symlinkSync('nowhere', path);
    writeFileSync(`${path}.2`, 'mine');
    mkdirSync(`${path}.3`);
    expect(placeRotation(partial, path)).toBe(`${path}.4`);
    expect(readFileSync(`${path}.2`, 'utf8')).toBe('mine');
    expect(readdirSync(directory).sort()).toEqual(['r', 'r.2', 'r.3', 'r.4']);
  }
});

test('an archive that was placed before a kill is not placed a second time', () => {
  writeFileSync(partial, 'jobs');
  linkSync(partial, path);
  expect(placeRotation(partial, path)).toBe(path);
  expect([existsSync(partial), readdirSync(directory)]).toEqual([false, ['r']]);
});

test('a rotation that another process has placed is missing', () => {
  expect(() => placeRotation(partial, path)).toThrow('ENOENT');
});
