import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, RqError } from '../job/errors.ts';
import { isPrivateDirectory } from '../job/runtime-directory.ts';
import { mountOf } from '../queue/mount.ts';
import { socketPath } from '../runner/probe.ts';
import { type Finding, problem } from './finding.ts';
import { roomAt } from './space.ts';

const LEAST_BYTES = 2 ** 20;
const ELSEWHERE = 'set RQ_RUNTIME_DIR to a short path on local disk, for all that use the queue on this host';

/** Checks where this host keeps the socket, the pid file and the journal of a queue's feeder; makes nothing. */
export function checkRuntime(directory: string): Finding[] {
  const root = dirname(directory);
  const place = [directory, root, dirname(root)].find((path) => existsSync(path)) ?? '/';
  return [...checkPrivacy([root, directory]), ...checkPlace(place, existsSync(root)), ...judgeSocket(directory)];
}

/** Whether the socket of a runner in such a directory can have its name. */
export function judgeSocket(directory: string): Finding[] {
  try {
    socketPath(directory);
    return [];
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    return [problem(error.message, 'no feeder can talk to its runner', ELSEWHERE)];
  }
}

/** Whether a file system of such a type can hold a runtime directory: one that hosts share cannot. */
export function judgeRuntimeMount(type: string, path: string): Finding[] {
  if (!/^(?:nfs4?|lustre|cifs|smb3|ceph|beegfs|gpfs|fuse\.glusterfs)$/.test(type)) return [];
  const why = 'hosts of one name would take the pid file and the socket of each other for their own';
  return [problem(`${path} is on ${type}`, why, ELSEWHERE)];
}

function checkPrivacy(directories: readonly string[]): Finding[] {
  const open = directories.find((path) => existsSync(path) && !isPrivateDirectory(path));
  if (open === undefined) return [];
  const why = 'another user could end your jobs or run commands as you, so no feeder starts with it';
  return [problem(`${open} is not a directory that only you can write to`, why, `remove it, or ${ELSEWHERE}`)];
}

function checkPlace(place: string, hasRoot: boolean): Finding[] {
  const { freeBytes } = roomAt(place);
  const findings = judgeRuntimeMount(mountOf(place).type, place);
  if (freeBytes < LEAST_BYTES) {
    const why = 'the runner notes there what it starts, and starts nothing that it cannot note';
    findings.push(problem(`the file system of ${place} is full`, why, 'make room'));
  }
  if (!hasRoot && !mayWrite(place)) {
    findings.push(problem(`you may not make a directory in ${place}`, 'no feeder can start', ELSEWHERE));
  }
  return findings;
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
