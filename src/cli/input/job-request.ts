import type { JobEntry } from '../../yaml/entry.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { type ArrayRequest, readArray, readsStdinValues, refuseUnfitArrayOptions } from './array/array-request.ts';
import { type EntryList, listPath, readEntries } from './entries.ts';
import { withJobOptions } from './job-options.ts';
import { withScript } from './script/job-script.ts';

/** The jobs that a call of submit or touch adds. */
export interface JobRequest {
  /** The call, with the options that its script contains. */
  readonly call: CommandCall;
  readonly jobs: EntryList;
  readonly options: JobEntry;
  /** The job becomes the tasks of an array or a sweep. */
  readonly array: ArrayRequest | undefined;
}

/** Reads the jobs and the options of a call, and passes them to the work. Temporary copies of stdin exist meanwhile. */
export async function withJobRequest<Result>(
  given: CommandCall,
  work: (request: JobRequest) => Promise<Result>,
): Promise<Result> {
  const path = given.options.text('script');
  return await withScript(given, path, async (call, script) => {
    refuseUnfitArrayOptions(call);
    const isStdinInUse = listPath(call) === '-' || path === '-' || readsStdinValues(call);
    return await withJobOptions(call, isStdinInUse, async (options) => {
      const jobs = await readEntries(call, script);
      const array = await readArray(call, script, jobs.entries[0]?.command ?? '');
      const withCopy = script === undefined ? options : { ...options, script: script.path };
      return await work({ call, jobs, options: withCopy, array });
    });
  });
}
