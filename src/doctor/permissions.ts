import { accessSync, constants, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { otherWriters } from '../feeder/trust.ts';
import { errorCode } from '../job/errors.ts';
import { FOLDERS } from '../queue/layout.ts';
import { type Finding, list, note, problem, shortList } from './finding.ts';

const { R_OK, W_OK, X_OK } = constants;

/** Checks that the folders of a queue exist. */
export function checkFolders(queueDirectory: string): Finding[] {
  const missing = FOLDERS.map((name) => join(queueDirectory, name)).filter(
    (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true,
  );
  const why = 'feeders and jobs store files in every directory of the queue, and fail if one is missing';
  return list(
    missing.length > 0 && problem(`${missing.join(', ')}: no such directory`, why, `mkdir ${missing.join(' ')}`),
  );
}

/** Checks that only the right users can write to a queue, and that they can. */
export function checkPermissions(queueDirectory: string): Finding[] {
  return [...writerFindings(queueDirectory), ...groupFindings(queueDirectory), ...accessFindings(queueDirectory)];
}

function writerFindings(queueDirectory: string): Finding[] {
  const why = 'anyone who can write to a queue can run commands as any user who feeds from it';
  const isGroupQueue = isGroupWritable(queueDirectory);
  const unsafe = otherWriters(queueDirectory).filter(({ who }) => who !== 'its group' || !isGroupQueue);
  const programs = namesIn(join(queueDirectory, 'bin')).map((name) => join(queueDirectory, 'bin', name));
  const open = programs.filter((path) => !lstatSync(path).isSymbolicLink() && (statSync(path).mode & 0o002) !== 0);
  return [
    ...unsafe.map(({ path, who, why: found }) => {
      if (who === 'another user') {
        return note(`${path}: ${found}`, why, 'if you trust that user, start the feeder with --trust-group');
      }
      return problem(`${path}: ${found}`, why, `run: chmod ${who === 'anyone' ? 'o' : 'g'}-w ${path}`);
    }),
    ...list(
      open.length > 0 &&
        problem(`anyone can write to ${shortList(open)}`, why, `run: chmod o-w ${open.slice(0, 5).join(' ')}`),
    ),
  ];
}

/** In a queue of a group, the members must be able to do everything that the owner can do. */
function groupFindings(queueDirectory: string): Finding[] {
  if (!isGroupWritable(queueDirectory)) return [];
  const why = 'commands fail for members of the group who cannot write to the whole queue';
  const parts = ['db', ...FOLDERS].map((name) => join(queueDirectory, name));
  const closed = parts.filter((path) => exists(path) && !isGroupWritable(path));
  const { mode } = statSync(queueDirectory);
  return list(
    closed.length > 0 &&
      problem(`the group of the queue cannot write to ${shortList(closed)}`, why, `run: chmod g+w ${closed.join(' ')}`),
    (mode & 0o2000) === 0 &&
      problem('new files do not inherit the group of the queue', why, `run: chmod g+s ${queueDirectory}`),
    (mode & 0o1000) !== 0 &&
      problem(
        'the directory is sticky',
        'no member of the group can remove the lease of another member',
        `run: chmod -t ${queueDirectory}`,
      ),
  );
}

function accessFindings(queueDirectory: string): Finding[] {
  const may = (name: string, access: number): boolean => {
    try {
      accessSync(join(queueDirectory, name), access);
      return true;
    } catch (error) {
      if (!['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
      return false;
    }
  };
  const folders = FOLDERS.filter((name) => exists(join(queueDirectory, name)));
  const unreadable = ['db', ...folders].filter((name) => !may(name, name === 'db' ? R_OK : R_OK | X_OK));
  const unwritable = ['.', 'db', ...folders].filter((name) => !may(name, W_OK));
  const ask = 'ask the owner of the queue for access';
  return list(
    unreadable.length > 0 &&
      problem(`you have no permission to read ${shortList(unreadable)}`, 'you cannot use the queue', ask),
    unwritable.length > 0 &&
      note(
        `you have no permission to write to ${shortList(unwritable)}`,
        'you can read the queue, but cannot submit jobs or feed',
        ask,
      ),
  );
}

function isGroupWritable(path: string): boolean {
  return (statSync(path).mode & 0o020) !== 0;
}

function exists(path: string): boolean {
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
