import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OutputFile } from '../../../src/queue/follow/output-file.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

function newPath(): string {
  return join(temporaryDirectory(), 'output');
}

function textOf(piece: ReturnType<OutputFile['next']>): string | undefined {
  return piece instanceof Uint8Array ? Buffer.from(piece).toString() : piece;
}

test('returns the bytes appended since the last call, and none before the file exists', () => {
  const path = newPath();
  const file = new OutputFile(path);
  expect(file.next()).toBeUndefined();
  writeFileSync(path, 'a');
  expect(textOf(file.next())).toBe('a');
  expect(file.next()).toBeUndefined();
  appendFileSync(path, 'bc');
  expect(textOf(file.next())).toBe('bc');
});

test('starts at the last lines, or at the end', () => {
  const path = newPath();
  writeFileSync(path, 'a\nb\nc\n');
  const file = new OutputFile(path);
  file.seekLastLines(2);
  expect(textOf(file.next())).toBe('b\nc\n');
  file.seekLastLines(0);
  expect(file.next()).toBeUndefined();
  file.seekLastLines(Number.POSITIVE_INFINITY);
  expect(textOf(file.next())).toBe('a\nb\nc\n');
});

test.each(['', 'short', 'something longer than what was there'])(
  'detects that the file was written anew with %j',
  (text) => {
    const path = newPath();
    writeFileSync(path, 'what was there\n');
    const file = new OutputFile(path);
    file.next();
    writeFileSync(path, text);
    expect(file.next()).toBe('cut');
    file.rewind();
    expect(textOf(file.next())).toBe(text === '' ? undefined : text);
  },
);

test('returns a large file in pieces of bounded size, each byte once', () => {
  const path = newPath();
  const bytes = Buffer.alloc(3_000_000, 'rq never loses a byte\n');
  writeFileSync(path, bytes);
  const file = new OutputFile(path);
  const pieces: Buffer[] = [];
  for (let piece = file.next(); piece instanceof Uint8Array; piece = file.next()) pieces.push(Buffer.from(piece));
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(1024 * 1024);
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
});

test('a removed file has no bytes, and a directory is an error', () => {
  const path = newPath();
  writeFileSync(path, 'a');
  const file = new OutputFile(path);
  file.next();
  rmSync(path);
  expect(file.next()).toBeUndefined();
  mkdirSync(path);
  expect(() => file.next()).toThrow(`cannot open ${path}: the path is not a regular file`);
});
