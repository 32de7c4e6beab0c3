import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { errorMessage } from '../../job/errors.ts';
import type { NotStarted, SpawnRequest } from '../protocol/messages.ts';
import type { StartFailure } from './starter-observer.ts';

/** Errors of network file systems for which Node has no text. */
const NETWORK_ERRORS: Readonly<Record<number, string>> = {
  [constants.errno.ESTALE]: 'stale file handle',
  [constants.errno.EDQUOT]: 'disk quota exceeded',
};

/** Resource shortages and transient errors of a host, which do not depend on the job. */
const SHORTAGES: ReadonlySet<number> = new Set(
  (['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EIO', 'ESTALE'] as const).map(
    (code) => constants.errno[code],
  ),
);

/** An attempt cannot be started. The message becomes the reason of its exit. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';

  constructor(
    message: string,
    readonly kind: NotStarted,
  ) {
    super(message);
  }
}

/** The text of a system error without call and path, such as `no such file or directory`. */
export function systemMessage(error: unknown): string {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return errorMessage(error);
  return errnoText(-error.errno) ?? error.message;
}

/** Whether the host can start no job now, or could not start this job. */
export function kindOf({ step, errno }: StartFailure): NotStarted {
  return step === 'record' || step === 'fork' || SHORTAGES.has(errno) ? 'shortage' : 'failed';
}

/** The reason of an attempt that the starter could not start. The request of an earlier runner is not known. */
export function failureReason(request: SpawnRequest | undefined, { step, errno }: StartFailure): string {
  const text = errno === 0 ? 'not a regular file' : (errnoText(errno) ?? `error ${errno}`);
  switch (step) {
    case 'stdin':
    case 'stdout':
    case 'stderr':
      return `cannot open ${step}${request === undefined ? '' : ` ${request[step] ?? '/dev/null'}`}: ${text}`;
    case 'directory':
      return `cannot enter the directory${request === undefined ? '' : ` ${request.cwd}`}: ${text}`;
    case 'record':
      return `cannot record the start of the job: ${text}`;
    case 'fork':
      return `cannot start a process: ${text}`;
    default:
      return `cannot start bash: ${text}`;
  }
}

function errnoText(errno: number): string | undefined {
  const [code, text] = getSystemErrorMap().get(-errno) ?? ['', NETWORK_ERRORS[errno]];
  // With O_NOFOLLOW, open(2) reports a symbolic link as "too many symbolic links encountered".
  return code === 'ELOOP' ? 'a symbolic link' : text;
}
