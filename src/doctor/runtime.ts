import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, RqError } from '../job/errors.ts';
import { hostName } from '../job/host.ts';
import { isPrivateDirectory } from '../job/runtime-directory.ts';
import { mountOf } from '../queue/mount.ts';
import { socketPath } from '../runner/probe.ts';
import { type Finding, list, problem } from './finding.ts';
import { freeSpace } from './space.ts';

const MIN_FREE_BYTES = 2 ** 20;
const ELSEWHERE = 'set RQ_RUNTIME_DIR to a short path on a local disk, for all users of the queue on this host';

/** Checks the directory of a feeder's socket, pid file and journal on this host. Creates nothing. */
export function checkRuntime(directory: string): Finding[] {
  const root = dirname(directory);
  const existing = [directory, root, dirname(root)].find((path) => existsSync(path)) ?? '/';
  return [
    ...privacyFindings([root, directory]),
    ...runtimeMountFindings(mountOf(existing).type, existing),
    ...list(
      freeSpace(existing).freeBytes < MIN_FREE_BYTES &&
        problem(
          `the file system of ${existing} is full`,
          'the runner starts no job if it cannot write to its journal, which is on this file system',
          'free some space',
        ),
      !existsSync(root) &&
        !mayWrite(existing) &&
        problem(`you have no permission to create a directory in ${existing}`, 'no feeder can start', ELSEWHERE),
    ),
    ...socketFindings(directory),
  ];
}

/** Reports that this machine feeds under a former name. */
export function renamedFindings(former: string | undefined): Finding[] {
  return list(
    former !== undefined &&
      problem(
        `this machine feeds as ${former}, but its name is ${hostName()} now`,
        'no new feeder can start on it, because a new feeder would treat the running jobs as lost',
        `set RQ_HOST=${former}, or shut the feeder down and start it again`,
      ),
  );
}

/** Checks that the path of the runner's socket is not too long. */
export function socketFindings(directory: string): Finding[] {
  try {
    socketPath(directory);
    return [];
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    return [problem(error.message, 'no feeder can connect to its runner', ELSEWHERE)];
  }
}

/** Checks that a file system of this type is not shared between hosts. */
export function runtimeMountFindings(type: string, path: string): Finding[] {
  const isShared = /^(?:nfs4?|lustre|cifs|smb3|ceph|beegfs|gpfs|fuse\.glusterfs)$/.test(type);
  const why = 'hosts with the same name would use the same pid file and the same socket';
  return list(isShared && problem(`${path} is on ${type}`, why, ELSEWHERE));
}

function privacyFindings(directories: readonly string[]): Finding[] {
  const open = directories.find((path) => existsSync(path) && !isPrivateDirectory(path));
  const why = 'another user could end your jobs or run commands as you, so feeders refuse to start';
  return list(
    open !== undefined &&
      problem(`other users can write to ${open}, or it is not a directory`, why, `remove it, or ${ELSEWHERE}`),
  );
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    return false;
  }
}
