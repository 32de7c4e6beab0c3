import { accessSync, constants, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { otherWriters } from '../feeder/trust.ts';
import { errorCode } from '../job/errors.ts';
import { FOLDERS } from '../queue/layout.ts';
import { type Finding, note, phrase, problem } from './finding.ts';

const { R_OK, W_OK, X_OK } = constants;

/** Whether a queue's folders are there. */
export function checkFolders(queueDirectory: string): Finding[] {
  const isFolder = (name: string): boolean =>
    statSync(join(queueDirectory, name), { throwIfNoEntry: false })?.isDirectory() === true;
  const missing = FOLDERS.filter((name) => !isFolder(name)).map((name) => join(queueDirectory, name));
  if (missing.length === 0) return [];
  const why = 'feeders and jobs keep files there, and fail without';
  return [problem(`${missing.join(', ')}: no such directory`, why, `mkdir ${missing.join(' ')}`)];
}

/** Who may write to a queue, and whether those can who are meant to. */
export function checkPermissions(queueDirectory: string): Finding[] {
  return [...checkStrangers(queueDirectory), ...checkGroup(queueDirectory), ...checkAccess(queueDirectory)];
}

function checkStrangers(queueDirectory: string): Finding[] {
  const why = 'who can write to a queue can run commands as everyone who feeds from it';
  const isGroupQueue = isGroupWritable(queueDirectory);
  const unsafe = otherWriters(queueDirectory).filter(({ who }) => who !== 'its group' || !isGroupQueue);
  const programs = namesIn(join(queueDirectory, 'bin')).map((name) => join(queueDirectory, 'bin', name));
  const open = programs.filter((path) => !lstatSync(path).isSymbolicLink() && (statSync(path).mode & 0o002) !== 0);
  return [
    ...unsafe.map(({ path, who, why: found }) => {
      if (who === 'another user') {
        return note(`${path}: ${found}`, why, 'if you trust that user, feed with --trust-group');
      }
      const [letter, plural] = who === 'anybody' ? ['o', 'others'] : ['g', 'its group'];
      return problem(`${path}: ${found}`, why, `keep ${plural} out: chmod ${letter}-w ${path}`);
    }),
    ...(open.length === 0
      ? []
      : [problem(`${phrase(open)}: anybody can write to it`, why, `chmod o-w ${open.slice(0, 5).join(' ')}`)]),
  ];
}

/** In a queue of a group its members must be able to do everything that the owner does. */
function checkGroup(queueDirectory: string): Finding[] {
  if (!isGroupWritable(queueDirectory)) return [];
  const why = 'its members share the queue, and those who cannot write there fail';
  const parts = ['db', ...FOLDERS].map((name) => join(queueDirectory, name));
  const closed = parts.filter((path) => isThere(path) && !isGroupWritable(path));
  const { mode } = statSync(queueDirectory);
  return [
    ...(closed.length === 0
      ? []
      : [problem(`${phrase(closed)}: the group cannot write to it`, why, `chmod g+w ${closed.join(' ')}`)]),
    ...((mode & 0o2000) !== 0
      ? []
      : [problem('new files do not get the group of the queue', why, `chmod g+s ${queueDirectory}`)]),
    ...((mode & 0o1000) === 0
      ? []
      : [
          problem('the directory is sticky', 'nobody can take away the lease of another', `chmod -t ${queueDirectory}`),
        ]),
  ];
}

function checkAccess(queueDirectory: string): Finding[] {
  const may = (name: string, access: number): boolean => {
    try {
      accessSync(join(queueDirectory, name), access);
      return true;
    } catch (error) {
      if (!['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
      return false;
    }
  };
  const folders = FOLDERS.filter((name) => isThere(join(queueDirectory, name)));
  const unreadable = ['db', ...folders].filter((name) => !may(name, name === 'db' ? R_OK : R_OK | X_OK));
  const unwritable = ['.', 'db', ...folders].filter((name) => !may(name, W_OK));
  const ask = 'if you are meant to, ask its owner';
  return [
    ...(unreadable.length === 0
      ? []
      : [problem(`you may not read ${phrase(unreadable)}`, 'you cannot use the queue', ask)]),
    ...(unwritable.length === 0
      ? []
      : [note(`you may not write to ${phrase(unwritable)}`, 'you can look at the queue, not submit or feed', ask)]),
  ];
}

function isGroupWritable(path: string): boolean {
  return (statSync(path).mode & 0o020) !== 0;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}
