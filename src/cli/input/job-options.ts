import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SubmitterField } from '../../job/columns.ts';
import { errorMessage, RqError } from '../../job/errors.ts';
import { TEXT_OPTIONS } from '../../job/fields.ts';
import { valueFromText } from '../../job/terms/field-text.ts';
import type { FileKind } from '../../queue/files/stored-names.ts';
import { checkEntry, type JobEntry } from '../../yaml/entry.ts';
import type { CommandCall, InputStream } from '../parse/command-call.ts';
import { withPrivateDirectory } from '../private-directory.ts';
import { readVariables } from './job-variables.ts';
import { requireReadable } from './readable-path.ts';
import { workingDirectory } from './working-directory.ts';

/**
 * Passes the fields that the options set to the work, with absolute paths of readable files. `--stdin=-` becomes the path
 * of a temporary copy of stdin, because a transaction that starts over reads the file again. Throws INVALID_INPUT, and
 * USAGE if stdin is in use or a terminal.
 */
export async function withJobOptions<Result>(
  call: CommandCall,
  isStdinInUse: boolean,
  work: (options: JobEntry) => Promise<Result>,
): Promise<Result> {
  const options = readOptions(call);
  if (call.options.text('stdin') !== '-') return await work(options);
  refuseStdin(call, isStdinInUse);
  return await withPrivateDirectory('rq-stdin-', async (directory) => {
    const path = join(directory, 'stdin');
    await copyInput(call.input, path);
    return await work({ ...options, stdin: path });
  });
}

/** The fields that the options set. `action` begins the message of an error. Throws INVALID_INPUT. */
export function readOptions({ command, options, environment }: CommandCall, action = `cannot ${command}`): JobEntry {
  const cwd = options.text('cwd');
  const stdin = options.text('stdin');
  const fields: [string, unknown][] = [
    ...NUMBERS.map((name): [string, unknown] => [name, options.number(name)]),
    // Text, because the option of the same name of feed is no number.
    ['gpus', numberFromText('gpus', options.text('gpus'))],
    ...LISTS.map(({ field, option }): [string, unknown] => [field, joined(options.list(option))]),
    ...TEXT_OPTIONS.map(({ field, name }): [string, unknown] => [field, options.text(name)]),
    ['restartable', options.flag('restartable') || undefined],
    ['env', readVariables(options.list('env'), environment, action)],
    ['cwd', cwd === undefined ? undefined : jobDirectory(cwd, environment)],
    ['stdin', stdin === '-' ? undefined : readablePath(stdin, 'stdin', action)],
    ['data', readablePath(options.text('data'), 'data', action)],
  ];
  return checkEntry(fields, () => action);
}

/** The options that set a number of the same name, and those that can be repeated and set a comma-separated list. */
const NUMBERS = ['priority', 'retries', 'cpus'] as const;
const LISTS = [
  { field: 'lanes', option: 'lane' },
  { field: 'needs', option: 'need' },
  { field: 'after', option: 'after' },
] as const;

/** Text that is no number stays text, and the check refuses it. */
function numberFromText(field: SubmitterField, text: string | undefined): unknown {
  return text === undefined ? undefined : (valueFromText(field, text) ?? text);
}

function joined(lists: readonly string[]): string | undefined {
  return lists.length === 0 ? undefined : lists.join(',');
}

function jobDirectory(path: string, environment: NodeJS.ProcessEnv): string {
  return path.startsWith('/') ? resolve(path) : resolve(workingDirectory(environment), path);
}

function readablePath(path: string | undefined, field: FileKind, action: string): string | undefined {
  if (path === undefined) return undefined;
  const absolute = resolve(path);
  requireReadable(absolute, field, action);
  return absolute;
}

function refuseStdin({ command, input, options }: CommandCall, isInUse: boolean): void {
  if (isInUse) {
    const [other, option] = options.text('script') === '-' ? ['script', 'script'] : ['list of jobs', 'infile'];
    throw new RqError(
      'USAGE',
      `cannot ${command}: stdin cannot contain both the ${other} and the stdin of the jobs; use --stdin=FILE or --${option} FILE`,
    );
  }
  if (input.kind !== 'terminal') return;
  throw new RqError('USAGE', `cannot ${command}: stdin is a terminal; redirect stdin, or use --stdin=FILE`);
}

async function copyInput(input: InputStream, path: string): Promise<void> {
  try {
    await pipeline(input.chunks(), createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    const message = `cannot copy stdin to ${path}: ${errorMessage(error)}; set TMPDIR to a directory with enough space`;
    throw new RqError('IO', message, { cause: error });
  }
}
