import type { Variables } from '../../../job/columns/variables.ts';
import { RqError } from '../../../job/errors.ts';
import { fieldCheck } from '../../../job/fields.ts';
import { MAX_COMMAND_BYTES } from '../../../job/limits.ts';
import { shownValue } from '../../../job/value-faults.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { isPlainWord, quoteCommand, quoteValue, singleQuoted } from '../../parse/shell-words.ts';
import type { JobScript } from '../script/job-script.ts';
import type { SweepVariable } from './sweep-values.ts';
import { type Part, type Place, partsOf } from './value-places.ts';

/** Returns the command line of the task with these values. */
export type TaskCommand = (values: Variables) => string;

/**
 * The command line of each task of a sweep; undefined if it contains no value. In one shell command line, each value is
 * quoted. In a program with arguments, each argument is quoted after the values have replaced their names. Throws
 * INVALID_INPUT for a value that would need quotes in a place where they do not work.
 */
export function taskCommand(
  call: CommandCall,
  script: JobScript | undefined,
  sweep: readonly SweepVariable[],
): TaskCommand | undefined {
  const names = new Set(sweep.map(({ name }) => name));
  const words = call.positionals.map((word) => partsOf(word, names));
  if (!words.flat().some(isPlace)) return undefined;
  const [line = [], ...others] = words;
  if (script !== undefined) return (values) => script.commandWith(words.map((word) => filled(word, values)));
  if (others.length > 0) return (values) => quoteCommand(words.map((word) => filled(word, values)));
  refuseQuotedPlaces(call, line, sweep);
  return (values) => line.map((part) => (isPlace(part) ? shellText(part, values) : part)).join('');
}

/** Throws INVALID_INPUT if the command line of a task is too long. */
export function refuseLongCommands(
  { command }: CommandCall,
  template: string,
  values: Iterable<Variables>,
  { longest, of }: { readonly longest: number; readonly of: TaskCommand },
): void {
  // Quotes make a text up to four times as long. Each name can occur as often as it fits into the command line.
  if (4 * Buffer.byteLength(template) * Math.max(1, longest) <= MAX_COMMAND_BYTES) return;
  let index = 0;
  for (const each of values) {
    index += 1;
    const fault = checkCommand?.(of(each));
    if (fault !== undefined) {
      throw new RqError(
        'INVALID_INPUT',
        `cannot ${command}: the command of task ${index} with the values ${shownValue(each)} ${fault}`,
      );
    }
  }
}

const checkCommand = fieldCheck('command');

function isPlace(part: Part): part is Place {
  return typeof part !== 'string';
}

function filled(parts: readonly Part[], values: Variables): string {
  return parts.map((part) => (isPlace(part) ? (values[part.name] ?? '') : part)).join('');
}

function shellText({ name, context, isJoined }: Place, values: Variables): string {
  const value = values[name] ?? '';
  if (context !== 'bare') return value;
  return isJoined ? singleQuoted(value) : quoteValue(value);
}

function refuseQuotedPlaces({ command }: CommandCall, line: readonly Part[], sweep: readonly SweepVariable[]): void {
  const places = line.filter(isPlace).filter(({ context }) => context !== 'bare');
  for (const { name, values } of sweep) {
    const own = places.filter((place) => place.name === name);
    const value = own.length === 0 ? undefined : values.find((each) => own.some((place) => !fits(each, place)));
    if (value === undefined) continue;
    const fault = `{${name}} stands in quotes or in other syntax of the shell, where rq cannot insert ${shownValue(value)}`;
    const advice = `write {${name}} outside of the quotes, or "$RQ_FOR_${name}" in its place`;
    throw new RqError('INVALID_INPUT', `cannot ${command} with --for: ${fault}; ${advice}`);
  }
}

/** Whether a value means itself without quotes of its own in a place that is not bare. */
function fits(value: string, { context, isJoined }: Place): boolean {
  if (isJoined && /^\w/.test(value)) return false;
  return context === 'quotes' ? value === '' || isPlainWord(value) : quoteValue(value) === value;
}
