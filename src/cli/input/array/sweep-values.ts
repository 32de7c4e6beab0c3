import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nameFault } from '../../../job/columns/variables.ts';
import { errorMessage, RqError } from '../../../job/errors.ts';
import { MAX_VARIABLE_BYTES } from '../../../job/limits.ts';
import { formFault, shownValue } from '../../../job/value-faults.ts';
import { CARRIAGE_RETURN, decodeText } from '../../../yaml/read.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { readAll } from '../standard-input.ts';
import { isRangeLike, rangeValues } from './number-range.ts';

/** A name of a sweep, with its values. */
export interface SweepVariable {
  readonly name: string;
  readonly values: readonly string[];
}

/** Reads the values of `--for`, each `NAME=VALUES`. Throws USAGE or INVALID_INPUT. */
export async function readSweep(call: CommandCall): Promise<SweepVariable[]> {
  const variables: SweepVariable[] = [];
  for (const text of call.options.list('for')) {
    const { name, list } = splitVariable(text, call);
    if (variables.some((each) => each.name === name))
      throw usage(call, `names ${name} twice; give all its values once`);
    variables.push({
      name,
      values: list.startsWith('@') ? await readLines(call, list.slice(1)) : listed(call, name, list),
    });
  }
  return variables;
}

/** Whether `--for` reads stdin, once or several times. */
export function sweepStdinUses({ options }: CommandCall): number {
  return options.list('for').filter((text) => /^[^=]*=@-$/.test(text)).length;
}

function splitVariable(text: string, call: CommandCall): { name: string; list: string } {
  const at = text.indexOf('=');
  if (at === -1) throw usage(call, `must be NAME=VALUES, such as lr=0.1,0.01, not ${shownValue(text)}`);
  const name = text.slice(0, at);
  const fault = nameFault(name);
  if (fault !== undefined) throw usage(call, `has the name ${shownValue(name)}, which ${fault}`);
  return { name, list: text.slice(at + 1) };
}

/** The values of a comma-separated list, in which `\,` is a comma. */
function listed(call: CommandCall, name: string, list: string): string[] {
  const items = list.split(/(?<!\\),/).map((item) => item.replaceAll('\\,', ','));
  return items.flatMap((item) => {
    if (item === '') throw usage(call, `${name} has an empty value; an empty line of a file is one: ${name}=@FILE`);
    if (isRangeLike(item)) return numbersOf(call, name, item);
    const fault = formFault(item, 'text', MAX_VARIABLE_BYTES);
    if (fault !== undefined) throw usage(call, `${name} has a value that ${fault}`);
    return [item];
  });
}

function numbersOf(call: CommandCall, name: string, item: string): string[] {
  const result = rangeValues(item);
  if ('values' in result) return result.values;
  throw usage(call, `${name}: ${shownValue(item)} ${result.fault}`);
}

/** The lines of a file, of which each is a value. As in GNU parallel and HyperQueue, an empty line is an empty value. */
async function readLines(call: CommandCall, path: string): Promise<string[]> {
  const source = path === '-' ? 'stdin' : path;
  const action = `cannot ${call.command} with --for`;
  const text = decodeText(path === '-' ? await readStdin(call) : readFile(call, path), source);
  const lines = text.split('\n');
  // The last line ends with a newline as well.
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new RqError('INVALID_INPUT', `${action}: there are no values in ${source}`);
  lines.forEach((line, index) => {
    const fault = line.endsWith('\r') ? CARRIAGE_RETURN : formFault(line, 'text', MAX_VARIABLE_BYTES);
    if (fault !== undefined) throw new RqError('INVALID_INPUT', `${action}: line ${index + 1} of ${source} ${fault}`);
  });
  return lines;
}

async function readStdin({ command, input }: CommandCall): Promise<Uint8Array> {
  if (input.kind !== 'terminal' && input.kind !== 'none') return await readAll(input);
  const state = input.kind === 'terminal' ? 'is a terminal' : 'is closed';
  throw new RqError('USAGE', `cannot ${command} with --for: stdin ${state}; pipe the values to rq, or give NAME=@FILE`);
}

function readFile({ command, environment }: CommandCall, path: string): Uint8Array {
  if (path === '') throw new RqError('USAGE', `cannot ${command} with --for: there is no path after "@"`);
  try {
    // No shell expands the tilde after "@".
    const absolute = path.startsWith('~/') ? join(environment['HOME'] ?? '~', path.slice(2)) : path;
    return readFileSync(resolve(absolute));
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot ${command} with --for: cannot read ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function usage({ command }: CommandCall, fault: string): RqError {
  return new RqError('USAGE', `cannot ${command}: --for ${fault}`);
}
