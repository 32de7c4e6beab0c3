import { readFileSync } from 'node:fs';
import { errorMessage, RqError } from '../../job/errors.ts';
import { checkEntry } from '../../yaml/entry.ts';
import { readSubmittedEntries, type SubmittedEntry } from '../../yaml/read.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { quoteCommand } from '../parse/shell-words.ts';
import type { JobScript } from './script/job-script.ts';
import { readAll } from './standard-input.ts';

/** The jobs of a call, as they were given. */
export interface EntryList {
  readonly entries: readonly SubmittedEntry[];
  /** `stdin`, or the path of the list; undefined if the positionals are the command line of one job. */
  readonly source: string | undefined;
}

/** Reads the jobs that a call adds: the command line in its positionals, or a list. Throws USAGE or INVALID_INPUT. */
export async function readEntries(call: CommandCall, script?: JobScript): Promise<EntryList> {
  const list = listPath(call);
  if (list === undefined) return { entries: [{ line: 1, command: commandLine(call, script) }], source: undefined };
  const source = list === '-' ? 'stdin' : list;
  const bytes = list === '-' ? await readStdin(call) : readFile(list);
  return { entries: await readSubmittedEntries(bytes, source), source };
}

/**
 * The path of the list of jobs, `-` for stdin; undefined if the positionals are a command line or the arguments of a script.
 * Throws USAGE.
 */
export function listPath({ command, options, positionals, literalFrom }: CommandCall): string | undefined {
  const infile = options.text('infile');
  const hasDash = positionals[0] === '-' && literalFrom > 0;
  if (options.text('script') !== undefined) {
    if (infile === undefined && !hasDash) return undefined;
    throw new RqError('USAGE', `cannot ${command} both a script and a list: give either the script or the list`);
  }
  if (positionals.length > (hasDash ? 1 : 0)) {
    if (!hasDash && infile === undefined) return undefined;
    throw new RqError(
      'USAGE',
      `cannot ${command} both a command line and a list: give either the command line or the list`,
    );
  }
  if (!hasDash || infile === undefined) return infile ?? '-';
  throw new RqError('USAGE', `cannot ${command} jobs from both "-" and --infile: give either "-" or --infile`);
}

function commandLine({ command, positionals }: CommandCall, script: JobScript | undefined): string {
  const [first = '', ...others] = positionals;
  const own = others.length === 0 ? first : quoteCommand(positionals);
  const line = script === undefined ? own : script.commandWith(positionals);
  checkEntry([['command', line]], () => `cannot ${command}`);
  return line;
}

async function readStdin({ command, input }: CommandCall): Promise<Uint8Array> {
  if (input.kind === 'terminal') {
    throw new RqError(
      'USAGE',
      `cannot ${command}: no jobs specified; give a command line, pipe a list to stdin, or name a list with --infile`,
    );
  }
  const bytes = await readAll(input);
  if (bytes.length > 0 || input.kind !== 'none') return bytes;
  throw new RqError(
    'USAGE',
    `cannot ${command}: stdin is closed and no command line is specified; give a command line`,
  );
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new RqError('INVALID_INPUT', `cannot read jobs from ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
