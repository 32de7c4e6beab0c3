import { RqError } from '../../job/errors.ts';
import { DURATION_FORMS, durationText, parseDuration } from '../../job/quantities/duration.ts';
import type { CommandCall } from '../parse/command-call.ts';

/** The value of an option in seconds; undefined if it was not given. Throws USAGE for an invalid duration. */
export function durationOption(
  { command, options }: CommandCall,
  name: string,
  { max }: { readonly max: number },
): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const seconds = parseDuration(text);
  if (seconds !== undefined && seconds <= max) return seconds;
  throw new RqError(
    'USAGE',
    `cannot ${command}: --${name} must be a duration of at most ${durationText(max)}, such as ${DURATION_FORMS}, not "${text}"`,
  );
}
