import { RqError } from '../../job/errors.ts';

/** An RqError RUNNER that says what the runner of a directory did; `facts.code` is what callers branch on. */
export function runnerError(code: string, directory: string, whatItDid: string, cause?: unknown): RqError {
  return new RqError('RUNNER', `the runner in ${directory} ${whatItDid}`, {
    ...(cause === undefined ? {} : { cause }),
    facts: { code, directory },
  });
}
