import { linkSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';

/**
 * Gives a file a second name. False if no hard link is possible between the two places. Throws EEXIST if the name is
 * taken, ENOENT if the file does not exist.
 */
export function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasNoLinks(error)) return false;
    throw error;
  }
}

/** Whether an error of link(2) says that no hard link is possible between two places. */
export function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(errorCode(error) ?? '');
}
