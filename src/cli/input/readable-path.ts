import { accessSync, constants, statSync } from 'node:fs';
import { errorCode, RqError } from '../../job/errors.ts';
import type { FileKind } from '../../queue/files/stored-names.ts';
import { NULL_DEVICE } from './standard-input.ts';

/** Throws INVALID_INPUT unless a file can be copied into the queue. `action` begins the message: `cannot submit`. */
export function requireReadable(path: string, field: FileKind, action: string): void {
  const fault = readFault(path, field);
  if (fault !== undefined) throw new RqError('INVALID_INPUT', `${action}: ${field} ${path} ${fault}`);
}

function readFault(path: string, field: FileKind): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    const stats = statSync(path);
    if (stats.isBlockDevice() || (stats.isCharacterDevice() && stats.rdev !== NULL_DEVICE)) {
      return 'is a device and may never end; give a file or a pipe';
    }
    return stats.isDirectory() && field !== 'data' ? 'is a directory; give a file' : undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    switch (errorCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        return 'does not exist';
      case 'EACCES':
        return 'cannot be read: permission denied';
      default:
        return `cannot be read: ${error.message}`;
    }
  }
}
