import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { errorCode, RqError } from '../../job/errors.ts';
import type { Submission } from '../../job/job.ts';
import { checkEntry, type JobEntry } from '../../yaml/entry.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { isStoredReference } from './stored-references.ts';

/** /dev/null: device 1, 3 (devices.txt of the kernel). */
const NULL_DEVICE = 0x103;

/** What the options of `submit` say of every job; they win over what a list says. Throws INVALID_INPUT. */
export function entryFromOptions({ options, environment }: Pick<CommandCall, 'options' | 'environment'>): JobEntry {
  const given: [string, unknown][] = [
    ['priority', options.number('priority')],
    ['tag', options.text('tag')],
    ['runners', options.text('runner')],
    ['restartable', options.flag('restartable') || undefined],
    ['cwd', directory(options.text('cwd'), environment)],
    ['data', absolute(options.text('data'))],
  ];
  return checkEntry(given, () => 'cannot submit with these options');
}

interface SubmissionSettings {
  /** An absolute path. */
  readonly queue: string;
  /** The current directory, absolute; asked for only where a job needs it. */
  readonly cwd: () => string;
  readonly stage: boolean;
  /** They win over entries. */
  readonly options: JobEntry;
}

/** Makes entries into submissions with defaults, absolute paths, and files that were seen to be readable. */
export class SubmissionMaker {
  private readonly checkedPaths = new Map<string, string>();
  private readonly settings: SubmissionSettings;
  private knownCwd: string | undefined;

  constructor(settings: SubmissionSettings) {
    this.settings = settings;
  }

  /** Throws INVALID_INPUT for a file that is missing or cannot be read; `place` names the entry. */
  make(entry: JobEntry & { readonly command: string }, place: () => string): Submission {
    const { options, stage } = this.settings;
    const said = { ...entry, ...options };
    return {
      command: entry.command,
      priority: said.priority ?? 0,
      tag: said.tag ?? null,
      runners: said.runners ?? null,
      restartable: said.restartable ?? false,
      cwd: said.cwd ?? this.cwd(),
      stage,
      stdin: this.file(said.stdin, 'stdin', place),
      data: this.file(said.data, 'data', place),
    };
  }

  private file(path: string | undefined, field: 'stdin' | 'data', place: () => string): string | null {
    if (path === undefined) return null;
    const known = this.checkedPaths.get(`${field}:${path}`);
    if (known !== undefined) return known;
    const base = isStoredReference(path) ? this.settings.queue : () => this.cwd();
    const found = readablePath(path, base, field, place);
    this.checkedPaths.set(`${field}:${path}`, found);
    return found;
  }

  private cwd(): string {
    this.knownCwd ??= this.settings.cwd();
    return this.knownCwd;
  }
}

/**
 * The absolute path of a file that is to be copied into the queue; a base that is a function is asked only for a relative
 * path. Throws INVALID_INPUT if it cannot be read.
 */
export function readablePath(
  path: string,
  base: string | (() => string),
  field: 'stdin' | 'data',
  place: () => string,
): string {
  const found = isAbsolute(path) ? resolve(path) : resolve(typeof base === 'string' ? base : base(), path);
  const fault = readFault(found, field);
  if (fault === undefined) return found;
  throw new RqError('INVALID_INPUT', `${place()}: ${field} ${found} ${fault}`);
}

/**
 * The current directory as the shell calls it: the path through symbolic links is the one other hosts know. Throws
 * INVALID_INPUT where it is gone, or can be named in no job.
 */
export function workingDirectory(environment: NodeJS.ProcessEnv): string {
  const logical = environment['PWD'] ?? '';
  try {
    const physical = process.cwd();
    if (isAbsolute(logical) && isHere(logical)) return resolve(logical);
    if (isHere(physical)) return physical;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new RqError('INVALID_INPUT', 'the current directory is gone: change to another one', { cause: error });
  }
  // Node replaces the bytes that are not UTF-8, and then there is no such directory.
  throw new RqError('INVALID_INPUT', 'the name of the current directory is not UTF-8: change to another one');
}

function isHere(path: string): boolean {
  const [a, b] = [statSync(path, { throwIfNoEntry: false }), statSync('.')];
  return a !== undefined && a.dev === b.dev && a.ino === b.ino;
}

function directory(path: string | undefined, environment: NodeJS.ProcessEnv): string | undefined {
  if (path === undefined) return undefined;
  return isAbsolute(path) ? resolve(path) : resolve(workingDirectory(environment), path);
}

function absolute(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}

function readFault(path: string, field: 'stdin' | 'data'): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    const stats = statSync(path);
    if (stats.isBlockDevice() || (stats.isCharacterDevice() && stats.rdev !== NULL_DEVICE)) {
      return 'is a device, which may never end; give a file or a pipe';
    }
    return stats.isDirectory() && field === 'stdin' ? 'is a directory; give a file' : undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    switch (errorCode(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        return 'does not exist';
      case 'EACCES':
        return 'cannot be read: you may not';
      default:
        return `cannot be read: ${error.message}`;
    }
  }
}
