import { RqError } from '../../job/errors.ts';
import type { CommandCall } from '../parse/command-call.ts';

/** The error for a selection that matches no job; `kind` restricts it to the jobs that the command can process. */
export function noJob(call: CommandCall, queueDirectory: string, kind = ''): RqError {
  const selection = call.positionals.join(' ') || 'stdin';
  const jobs = kind === '' ? 'no job' : `no ${kind} job`;
  return new RqError('NO_JOB', `cannot ${call.command}: ${jobs} in ${queueDirectory} matches ${selection}`);
}
