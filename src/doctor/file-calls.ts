import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { type Finding, list, problem } from './finding.ts';

const ADVICE = 'do not use this file system for a queue; NFS 4 and NFS 3 work';

/** Checks that mkdir and O_EXCL refuse an existing name: the lease is a directory, and some locks are files. */
export function checkExclusive(directory: string): Finding[] {
  const [folder, file] = [join(directory, 'exclusive.d'), join(directory, 'exclusive')];
  mkdirSync(folder);
  writeFileSync(file, '', { flag: 'wx' });
  const why = 'two hosts could hold the lease at the same time';
  return list(
    isAllowed(() => mkdirSync(folder)) && problem('mkdir succeeds for an existing directory', why, ADVICE),
    isAllowed(() => writeFileSync(file, '', { flag: 'wx' })) &&
      problem('open with O_EXCL succeeds for an existing file', why, ADVICE),
  );
}

/** Checks that rename replaces a file, and refuses to replace a directory that is not empty. */
export function checkRename(directory: string): Finding[] {
  const [from, to] = [join(directory, 'rename.new'), join(directory, 'rename')];
  writeFileSync(to, 'old');
  writeFileSync(from, 'new');
  renameSync(from, to);
  const [lease, full] = [join(directory, 'rename.d'), join(directory, 'rename.full')];
  mkdirSync(lease);
  mkdirSync(join(full, 'x'), { recursive: true });
  return list(
    readFileSync(to, 'utf8') !== 'new' &&
      problem('rename does not replace a file', 'other hosts could read half a file', ADVICE),
    isAllowed(() => renameSync(lease, full)) &&
      problem('rename replaces a directory that is not empty', 'files of jobs could be lost', ADVICE),
  );
}

function isAllowed(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (!['EEXIST', 'ENOTEMPTY'].includes(errorCode(error) ?? '')) throw error;
    return false;
  }
}
