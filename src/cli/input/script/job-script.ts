import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RqError } from '../../../job/errors.ts';
import { printableLine } from '../../../job/printable.ts';
import type { CommandCall, OptionValues } from '../../parse/command-call.ts';
import { type OptionValue, optionValues, withDefaults } from '../../parse/option-values.ts';
import { readScriptLine, scriptOptions } from '../../parse/script-options.ts';
import { quoteCommand, quoteWord } from '../../parse/shell-words.ts';
import { withPrivateDirectory } from '../../private-directory.ts';
import { readOptions } from '../job-options.ts';
import { readScriptFile, type ScriptFile } from './script-file.ts';

/** A script to submit. */
export interface JobScript {
  /** A copy, which does not change. */
  readonly path: string;
  /** The command that runs the script with these arguments. */
  readonly commandWith: (args: readonly string[]) => string;
  /** The command that runs the script with the arguments that a command passed to an earlier script. */
  readonly editCommand: (command: string) => string;
}

/** How a command names the script. rq sets the variable on each host, because hosts may mount the queue elsewhere. */
const PATH = '"$RQ_SCRIPT"';
const SHEBANG = /^#!\s*(\S+)(?:\s+(.*?))?\s*$/;
const BASH = /^(?:\/usr)?\/bin\/bash$/;
const ENV = /^(?:\/usr)?\/bin\/env$/;
/** Options of bash that `set` accepts, and -l. */
const SET_OPTIONS = /^-[aefhkluvxBCEHPT]+$/;
/** The text up to a comment: a `#` after a space outside of quotes. */
const BEFORE_COMMENT = /^(?:[^'"\\ ]+|\\.|'[^']*'|"(?:[^"\\]|\\.)*"| (?!#))*/s;

/**
 * Reads the script at a path, if there is one, and passes it to the work with a call in which the options of its `#RQ` lines
 * apply where the given call has none. Throws USAGE or INVALID_INPUT.
 */
export async function withScript<Result>(
  call: CommandCall,
  path: string | undefined,
  work: (call: CommandCall, script: JobScript | undefined) => Promise<Result>,
): Promise<Result> {
  if (path === undefined) return await work(call, undefined);
  const file = await readScriptFile(call, path);
  if (file.lateLine !== undefined) {
    call.diagnostics.warn(`${file.name}, line ${file.lateLine}: rq ignores #RQ after the first command of a script`);
  }
  // `update` changes the script alone.
  const isOption = call.options.text('script') !== undefined;
  const options = isOption ? withDefaults(call.options, optionsOf(call, file)) : call.options;
  return await withPrivateDirectory('rq-script-', async (directory) => {
    const copy = join(directory, 'script');
    writeFileSync(copy, file.bytes, { mode: 0o600 });
    const script = { path: copy, ...commandsOf(file) };
    return await work({ ...call, options }, script);
  });
}

/** Throws USAGE if stdin is both the script and something else that the call reads. */
export function refuseSharedStdin({ command, options }: CommandCall, isInUse: boolean): void {
  if (options.text('script') !== '-' || !isInUse) return;
  throw new RqError('USAGE', `cannot ${command}: stdin cannot contain both jobs and a script; use --script FILE`);
}

/** The options of the `#RQ` lines. A later line takes precedence; lists are joined. */
function optionsOf(call: CommandCall, { name, optionLines }: ScriptFile): OptionValues {
  const known = scriptOptions(call.command, call.commands);
  const all = new Map<string, OptionValue>();
  for (const { line, text } of optionLines) {
    const place = `cannot ${call.command}: ${name}, line ${line}`;
    const values = readScriptLine(text, place, known);
    // The fields are checked here, because an error names the line.
    readOptions({ ...call, options: optionValues(values) }, place);
    for (const [key, value] of values) {
      const earlier = all.get(key);
      all.set(key, Array.isArray(earlier) && Array.isArray(value) ? [...earlier, ...value] : value);
    }
  }
  return optionValues(all);
}

function commandsOf({ name, firstLine }: ScriptFile): Omit<JobScript, 'path'> {
  const start = `${interpreterOf(firstLine)} ${PATH}`;
  const comment = ` # ${printableLine(name)}`;
  return {
    commandWith: (args) => start + args.map((word) => ` ${quoteWord(word)}`).join('') + comment,
    editCommand: (command) => {
      const at = command.indexOf(PATH);
      const rest = at === -1 ? '' : command.slice(at + PATH.length);
      return start + (BEFORE_COMMENT.exec(rest)?.[0] ?? '') + comment;
    },
  };
}

/**
 * The text that runs a script when its path follows. A script for bash runs in the bash of the job, which has the functions,
 * aliases and options of the login shell. Any other interpreter is called as the kernel does, with one argument at most:
 * the copy need not be executable, and its mount may forbid it (noexec).
 */
function interpreterOf(firstLine: string): string {
  const [, program = '', argument = ''] = SHEBANG.exec(firstLine) ?? [];
  const isBash = program === '' || BASH.test(program);
  if ((isBash && argument === '') || (ENV.test(program) && argument === 'bash')) return 'source';
  if (!isBash || !SET_OPTIONS.test(argument)) return quoteCommand([program, argument].filter((word) => word !== ''));
  const letters = argument.slice(1).replaceAll('l', '');
  return letters === '' ? 'source' : `set -${letters}; source`;
}
