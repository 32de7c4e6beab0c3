import { statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { type Finding, list, note, problem } from './finding.ts';

/** Free space of a file system, as reported by statfs(2). */
export interface FreeSpace {
  readonly freeBytes: number;
  /** Number of inodes; 0 if it is not limited. */
  readonly files: number;
  readonly freeFiles: number;
}

const MIB = 2 ** 20;
const PROBLEM_BYTES = 16 * MIB;
const NOTE_BYTES = 256 * MIB;
const PROBLEM_FILES = 1_000;
const NOTE_FILES = 20_000;
const TRIED_BYTES = 256 * 1024;

const FULL =
  'when the disk is full, hosts cannot report results, and users cannot submit jobs; stored data stays intact';

/** The free space of the file system of a path. */
export function freeSpace(path: string): FreeSpace {
  const { bavail, bsize, files, ffree } = statfsSync(path);
  return { freeBytes: bavail * bsize, files, freeFiles: ffree };
}

/** Checks the free space for a queue with a database of this size. */
export function spaceFindings({ freeBytes }: FreeSpace, databaseBytes: number): Finding[] {
  const found = `${formatBytes(freeBytes)} are free`;
  const advice = 'free some space, or rotate the queue to another disk';
  if (freeBytes < PROBLEM_BYTES) return [problem(found, FULL, advice)];
  if (freeBytes < NOTE_BYTES) return [note(found, FULL, advice)];
  const why = `the database uses ${formatBytes(databaseBytes)}; backup, rotate and recover make a copy of the database`;
  return list(
    freeBytes < 2 * databaseBytes &&
      note(found, why, 'free some space, or back up and rotate the queue to another disk'),
  );
}

/** Checks the number of free inodes. A job has up to four files. */
export function inodeFindings({ files, freeFiles }: FreeSpace): Finding[] {
  if (files === 0 || freeFiles >= NOTE_FILES) return [];
  const level = freeFiles < PROBLEM_FILES ? problem : note;
  return [
    level(
      `${freeFiles} inodes are free`,
      FULL,
      'remove files, or run rotate, which moves the files of ended jobs into one archive',
    ),
  ];
}

/** Writes a small file to find an exhausted quota, which statfs does not report. */
export function checkWriting(directory: string): Finding[] {
  try {
    writeFileSync(join(directory, 'space'), Buffer.alloc(TRIED_BYTES), { flag: 'wx', flush: true });
    return [];
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')) throw error;
    return [diskFull()];
  }
}

export function diskFull(): Finding {
  return problem(
    'the disk or your quota is full',
    FULL,
    'free some space, or ask your administrator to raise your quota',
  );
}

/** The size of the database of a queue, in bytes. */
export function databaseBytes(queueDirectory: string): number {
  return statSync(join(queueDirectory, 'db')).size;
}

function formatBytes(bytes: number): string {
  return bytes < 1024 * MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${(bytes / MIB / 1024).toFixed(1)} GiB`;
}
