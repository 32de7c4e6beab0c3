import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { type Finding, problem } from './finding.ts';

/** Tries in a directory whether what must be made once is made once: the lease is a directory, and files are locks too. */
export function checkExclusive(directory: string): Finding[] {
  const folder = join(directory, 'exclusive.d');
  const file = join(directory, 'exclusive');
  const makers = {
    'mkdir makes a directory that is there already': () => mkdirSync(folder),
    'open with O_EXCL makes a file that is there already': () => writeFileSync(file, '', { flag: 'wx' }),
  };
  return Object.entries(makers).flatMap(([fault, make]) => {
    make();
    return isRefused(make, ['EEXIST']) ? [] : [brokenCall(fault, 'two hosts may have the lease at the same time')];
  });
}

/** Tries in a directory whether a rename replaces a file as a whole, and no directory with something in it. */
export function checkRename(directory: string): Finding[] {
  const [from, to] = [join(directory, 'rename.new'), join(directory, 'rename')];
  writeFileSync(to, 'old');
  writeFileSync(from, 'new');
  const { ino } = statSync(from);
  renameSync(from, to);
  const isMoved = statSync(to).ino === ino && !readdirSync(directory).includes('rename.new');
  const isWhole = isMoved && readFileSync(to, 'utf8') === 'new';
  const [lease, full] = [join(directory, 'rename.d'), join(directory, 'rename.full')];
  mkdirSync(lease);
  mkdirSync(join(full, 'x'), { recursive: true });
  const isKept = isRefused(() => renameSync(lease, full), ['ENOTEMPTY', 'EEXIST']);
  return [
    ...(isWhole ? [] : [brokenCall('rename does not put one file in the place of another', 'half a file may be read')]),
    ...(isKept ? [] : [brokenCall('rename overwrites a directory that is not empty', 'files of jobs may be lost')]),
  ];
}

function isRefused(call: () => void, codes: readonly string[]): boolean {
  try {
    call();
    return false;
  } catch (error) {
    if (!codes.includes(errorCode(error) ?? '')) throw error;
    return true;
  }
}

function brokenCall(found: string, why: string): Finding {
  return problem(found, why, 'do not use this file system for a queue; NFS 4 and 3 do it right');
}
