import { resolve } from 'node:path';
import { SUBMITTER_FIELDS } from '../../job/columns.ts';
import { RqError } from '../../job/errors.ts';
import { combinationFault, completeEntry, withEntry } from '../../job/fields.ts';
import type { Submission } from '../../job/job.ts';
import type { FileKind } from '../../queue/files/stored-names.ts';
import { DueTimes } from '../../queue/jobs/due-times.ts';
import type { Queue } from '../../queue/open.ts';
import type { JobEntry } from '../../yaml/entry.ts';
import type { CommandCall } from '../parse/command-call.ts';
import type { EntryList } from './entries.ts';
import { requireReadable } from './readable-path.ts';
import { findForeignReference, isStoredReference } from './stored-references.ts';
import { workingDirectory } from './working-directory.ts';

/**
 * Completes entries with the options, which have precedence, and with defaults, and makes their paths absolute. Throws
 * INVALID_INPUT for a file that cannot be read or that belongs to another job, and for a warning without a longer limit.
 */
export async function makeSubmissions(
  call: CommandCall,
  queue: Queue,
  { entries, source }: EntryList,
  options: JobEntry,
): Promise<Submission[]> {
  const foreign = await findForeignReference(queue, entries);
  if (foreign !== undefined) {
    const { entry, path } = foreign;
    const message = `${actionOf(call, source, entry.line)}: no job of this queue has the file ${path}; give the full path of the file`;
    throw new RqError('INVALID_INPUT', message);
  }
  const stage = call.options.flag('stage');
  const paths = new JobPaths(queue.directory, call.environment);
  const cwd = options.cwd ?? (entries.every((entry) => entry.cwd !== undefined) ? '' : paths.workingDirectory);
  const defaults: Submission = { ...completeEntry({ ...options, command: '', cwd }), stage };
  const dueTimes = new DueTimes(queue);
  const names = SUBMITTER_FIELDS.filter((name) => options[name] === undefined);
  return entries.map((entry) => {
    const action = actionOf(call, source, entry.line);
    const fields = withEntry(defaults, entry, names);
    const fault = combinationFault(fields);
    if (fault !== undefined) throw new RqError('INVALID_INPUT', `${action}: ${fault}`);
    return {
      ...fields,
      due: dueTimes.at(fields.due),
      stdin: options.stdin ?? paths.readable(entry.stdin, 'stdin', action),
      data: options.data ?? paths.readable(entry.data, 'data', action),
      script: options.script ?? paths.readable(entry.script, 'script', action),
    };
  });
}

/** How an error about an entry begins: `cannot submit the job at line 3 of stdin`. */
function actionOf({ command }: CommandCall, source: string | undefined, line: number): string {
  return source === undefined ? `cannot ${command}` : `cannot ${command} the job at line ${line} of ${source}`;
}

/** Makes the paths of entries absolute. Each file is checked once, however many entries name it. */
class JobPaths {
  private readonly checked = new Map<string, string>();
  private cwd: string | undefined;

  constructor(
    private readonly queueDirectory: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** Determined when a job first needs it: the directory may be gone. */
  get workingDirectory(): string {
    this.cwd ??= workingDirectory(this.environment);
    return this.cwd;
  }

  readable(path: string | undefined, field: FileKind, action: string): string | null {
    if (path === undefined) return null;
    const key = `${field}:${path}`;
    const checked = this.checked.get(key);
    if (checked !== undefined) return checked;
    const absolute = this.absolute(path);
    requireReadable(absolute, field, action);
    this.checked.set(key, absolute);
    return absolute;
  }

  private absolute(path: string): string {
    if (path.startsWith('/')) return resolve(path);
    return resolve(isStoredReference(path) ? this.queueDirectory : this.workingDirectory, path);
  }
}
