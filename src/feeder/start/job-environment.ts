import { join } from 'node:path';
import { type ClaimedJob, JOB_FIELDS, type JobField } from '../../job/job.ts';
import { storedPath } from '../../queue/files/stored-names.ts';
import { jobDocument } from '../../yaml/write.ts';

/** Linux allows 128 KiB for one variable (execve(2), MAX_ARG_STRLEN). Larger values than this are omitted. */
const MAX_VALUE_BYTES = 100_000;

/**
 * Returns the variables that a job gets in addition to those of the login shell: RQ (the queue), RQ_JID, RQ_<FIELD> for
 * each field with a value, and RQ_JOB (the job as YAML). Paths are absolute. `bin` of the queue is first on PATH.
 */
export function jobEnvironment(job: ClaimedJob, queueDirectory: string, path: string): Record<string, string> {
  const environment: Record<string, string> = {
    RQ: queueDirectory,
    RQ_Q: queueDirectory,
    PATH: `${join(queueDirectory, 'bin')}:${path}`,
  };
  for (const field of JOB_FIELDS) {
    const value = (job as unknown as Record<string, unknown>)[field];
    if (value === null || value === undefined) continue;
    environment[`RQ_${field.toUpperCase()}`] = pathOf(job, field, queueDirectory) ?? String(value);
  }
  environment['RQ_JOB'] = jobDocument(job);
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => Buffer.byteLength(value) <= MAX_VALUE_BYTES),
  );
}

/** The absolute path for a field that names a file; undefined for any other field. */
function pathOf(job: ClaimedJob, field: JobField, queueDirectory: string): string | undefined {
  if (field === 'stdin' || field === 'data') return storedPath(queueDirectory, field, job);
  return field === 'stdout' || field === 'stderr' ? join(queueDirectory, field, String(job.jid)) : undefined;
}
