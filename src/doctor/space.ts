import { closeSync, fsyncSync, openSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { type Finding, note, problem } from './finding.ts';

/** What statfs(2) says of a file system. Bytes; `files` is 0 where the number of inodes has no limit. */
export interface Room {
  readonly freeBytes: number;
  readonly files: number;
  readonly freeFiles: number;
}

const MIB = 2 ** 20;
const LEAST_BYTES = 16 * MIB;
const FEW_BYTES = 256 * MIB;
const LEAST_FILES = 1_000;
const FEW_FILES = 20_000;
const TRIED_BYTES = 256 * 1024;

const FULL = 'when it is full, results wait in their hosts and nothing can be submitted; what is stored stays whole';

/** The room in the file system of a path. */
export function roomAt(path: string): Room {
  const { bavail, bsize, files, ffree } = statfsSync(path);
  return { freeBytes: bavail * bsize, files, freeFiles: ffree };
}

/** Whether there are enough bytes for a queue whose database has so many. */
export function judgeSpace({ freeBytes }: Room, databaseBytes: number): Finding[] {
  const found = `${inWords(freeBytes)} are free`;
  if (freeBytes < LEAST_BYTES) return [problem(found, FULL, 'make room, or rotate the queue to another disk')];
  if (freeBytes < FEW_BYTES) return [note(found, FULL, 'make room, or rotate the queue to another disk')];
  if (freeBytes >= 2 * databaseBytes) return [];
  const why = `the database has ${inWords(databaseBytes)}, and backup, rotate and recover make a copy of it`;
  return [note(found, why, 'make room, or back up and rotate to another disk')];
}

/** Whether there are enough inodes for the files of jobs: up to four for each. */
export function judgeInodes({ files, freeFiles }: Room): Finding[] {
  if (files === 0 || freeFiles >= FEW_FILES) return [];
  const judge = freeFiles < LEAST_FILES ? problem : note;
  return [judge(`${freeFiles} inodes are free`, FULL, 'remove files; rotate moves those of ended jobs to one archive')];
}

/** Writes a little into a directory: quotas are nothing that statfs tells of. */
export function tryToWrite(directory: string): Finding[] {
  try {
    const descriptor = openSync(join(directory, 'space'), 'wx');
    try {
      writeSync(descriptor, Buffer.alloc(TRIED_BYTES));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return [];
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')) throw error;
    return [noRoom()];
  }
}

/** The disk or the quota is full: nothing can be written. */
export function noRoom(): Finding {
  return problem('the disk or your quota is full', FULL, 'make room, or have the quota raised');
}

/** How large a queue's database is, in bytes. */
export function databaseBytes(queueDirectory: string): number {
  return statSync(join(queueDirectory, 'db')).size;
}

function inWords(bytes: number): string {
  return bytes < 1024 * MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${(bytes / MIB / 1024).toFixed(1)} GiB`;
}
