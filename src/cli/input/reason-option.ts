import { RqError } from '../../job/errors.ts';
import type { CommandCall } from '../parse/command-call.ts';

const MAX_REASON_LENGTH = 500;

/** The value of the option --reason; null if it was not given. Throws USAGE for text that is long or not one line. */
export function reasonOption({ command, options }: CommandCall): string | null {
  const reason = options.text('reason') ?? null;
  if (reason === null || (reason.length <= MAX_REASON_LENGTH && !/\p{Cc}/u.test(reason))) return reason;
  throw new RqError(
    'USAGE',
    `cannot ${command}: --reason must be one line of at most ${MAX_REASON_LENGTH} characters; shorten it`,
  );
}
