import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { copyTree } from '../../../src/queue/files/copy-tree.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { waitFor } from '../../support/wait-for.ts';

let directory: string;
let source: string;
let target: string;

beforeEach(() => {
  directory = temporaryDirectory();
  source = join(directory, 'source');
  target = join(directory, 'target');
  mkdirSync(join(source, 'deep'), { recursive: true });
});

test('files and directories keep their modes, times and names, even if a name is not UTF-8', async () => {
  writeFileSync(join(source, 'program'), 'run', { mode: 0o755 });
  const odd = Buffer.concat([Buffer.from(`${source}/deep/`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(odd, 'odd');
  utimesSync(join(source, 'program'), 1_000, 2_000);
  execFileSync('chmod', ['-R', 'a-w', join(source, 'deep')]);
  utimesSync(source, 3_000, 4_000);
  expect(await copyTree(source, target, { within: source, isLive: false })).toBe(true);
  const program = statSync(join(target, 'program'));
  expect([program.mode & 0o7777, program.mtimeMs, statSync(target).mtimeMs]).toEqual([0o755, 2_000_000, 4_000_000]);
  expect(statSync(join(target, 'deep')).mode & 0o7777).toBe(0o555);
  expect(readdirSync(join(target, 'deep'), 'buffer')).toEqual([Buffer.from([0xff, 0xfe])]);
  execFileSync('chmod', ['-R', 'u+w', directory]);
});

test.each([
  ['deep/../file', 'deep/../file'],
  ['../source/file', '../source/file'],
  ['../other', 'DIRECTORY/other'],
  ['DIRECTORY/source/file', 'DIRECTORY/source/file'],
  ['/a/../b', '/a/../b'],
])('a link to %s leads to %s in the copy', async (text, expected) => {
  const inHere = (path: string): string => path.replace('DIRECTORY', directory);
  symlinkSync(inHere(text), join(source, 'link'));
  await copyTree(source, target, { within: source, isLive: false });
  expect(readlinkSync(join(target, 'link'))).toBe(inHere(expected));
});

test('links are not followed, neither in the source nor at the target', async () => {
  symlinkSync('elsewhere', join(directory, 'link'));
  expect(await copyTree(join(directory, 'link'), target, { within: directory, isLive: false })).toBe(true);
  expect(lstatSync(target).isSymbolicLink()).toBe(true);
  await expect(copyTree(source, target, { within: source, isLive: false })).rejects.toThrow('EEXIST');
  writeFileSync(join(source, 'file'), 'x');
  await expect(copyTree(join(source, 'file'), target, { within: source, isLive: false })).rejects.toThrow('EEXIST');
  expect(existsSync(join(directory, 'elsewhere'))).toBe(false);
});

test('pipes are left out, and a missing source is not copied', async () => {
  execFileSync('mkfifo', [join(source, 'pipe'), join(source, 'deep', 'pipe')]);
  expect(await copyTree(source, target, { within: source, isLive: false })).toBe(true);
  expect(readdirSync(target, { recursive: true })).toEqual(['deep']);
  expect(await copyTree(join(source, 'pipe'), join(directory, 'pipe'), { within: directory, isLive: false })).toBe(
    false,
  );
  expect(
    await copyTree(join(directory, 'nothing'), join(directory, 'copy'), { within: directory, isLive: false }),
  ).toBe(false);
});

test('cannot copy a directory into itself, and a missing target directory is an error', async () => {
  await expect(copyTree(source, join(source, 'deep', 'copy'), { within: source, isLive: false })).rejects.toThrow(
    'cannot copy a directory into itself',
  );
  writeFileSync(join(source, 'file'), '');
  await expect(
    copyTree(join(source, 'file'), join(directory, 'no', 'where'), { within: source, isLive: false }),
  ).rejects.toThrow('ENOENT');
});

test('all stable files are copied while other files come and go', async () => {
  const steady = Array.from({ length: 100 }, (_, index) => `s${index}`);
  for (const name of steady) writeFileSync(join(source, name), name);
  const writer = spawn('sh', ['-c', `while :; do for n in a b c d; do : >$n.new; mv $n.new $n; rm $n; done; done`], {
    cwd: source,
  });
  try {
    await waitFor(() => readdirSync(source).some((name) => name.startsWith('a')));
    for (let round = 0; round < 50; round++) {
      const copy = `${target}${round}`;
      expect(await copyTree(source, copy, { within: source, isLive: true })).toBe(true);
      expect(steady.filter((name) => readFileSync(join(copy, name), 'utf8') !== name)).toEqual([]);
    }
  } finally {
    writer.kill('SIGKILL');
    await once(writer, 'close');
  }
});

test('a file that disappears is an error in a tree that must be copied completely', async () => {
  for (let index = 0; index < 3_000; index++) writeFileSync(join(source, `s${index}`), '');
  const copies = copyTree(source, target, { within: source, isLive: false });
  await waitFor(() => existsSync(target));
  execFileSync('rm', ['-r', source]);
  await expect(copies).rejects.toThrow('ENOENT');
});
