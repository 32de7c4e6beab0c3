import type { JobEntry } from '../../yaml/entry.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { type EntryList, listPath, readEntries } from './entries.ts';
import { withJobOptions } from './job-options.ts';
import { withScript } from './script/job-script.ts';

/** The jobs that a call of submit or touch adds. */
export interface JobRequest {
  /** The call, with the options that its script contains. */
  readonly call: CommandCall;
  readonly jobs: EntryList;
  readonly options: JobEntry;
}

/** Reads the jobs and the options of a call, and passes them to the work. Temporary copies of stdin exist meanwhile. */
export async function withJobRequest<Result>(
  given: CommandCall,
  work: (request: JobRequest) => Promise<Result>,
): Promise<Result> {
  const path = given.options.text('script');
  const isStdinInUse = listPath(given) === '-';
  return await withScript(given, path, (call, script) =>
    withJobOptions(call, isStdinInUse || path === '-', async (options) => {
      const jobs = await readEntries(call, script);
      return await work({ call, jobs, options: script === undefined ? options : { ...options, script: script.path } });
    }),
  );
}
