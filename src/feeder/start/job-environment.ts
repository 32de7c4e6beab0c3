import { join } from 'node:path';
import { type ClaimedJob, JOB_FIELDS, type JobField } from '../../job/job.ts';
import { MAX_VARIABLE_BYTES } from '../../job/limits.ts';
import { parseDevices } from '../../job/placement/holding.ts';
import { isFileKind, storedPath } from '../../queue/files/stored-names.ts';
import { jobDocument, jobValue } from '../../yaml/write.ts';
import type { Vendor } from '../gpus/find-gpus.ts';
import { gpuVariables } from '../gpus/gpu-variables.ts';

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** What the variables of a job depend on, besides the job. */
export interface JobHost {
  readonly queueDirectory: string;
  /** The variables of the login shell. */
  readonly login: Readonly<Record<string, string>>;
  /** Undefined if rq leaves the GPUs of the host alone. */
  readonly gpus: { readonly vendor: Vendor } | undefined;
}

/**
 * Returns the variables that a job gets in addition to those of the login shell: those of its field `env`, RQ (the queue),
 * RQ_<FIELD> for each field, which is empty without a value, RQ_FOR_<NAME> for each value of a sweep, RQ_JOB (the job as
 * YAML), OMP_NUM_THREADS unless it is set, and those that show the job its GPUs and no others. Paths are absolute. `bin` of
 * the queue is first on PATH. Variables that are too long are omitted.
 */
export function jobEnvironment(job: ClaimedJob, { queueDirectory, login, gpus }: JobHost): Record<string, string> {
  const cpus = String(job.cpus ?? 1);
  const path = job.env?.['PATH'] ?? login['PATH'] ?? DEFAULT_PATH;
  const environment: Record<string, string> = {
    ...('OMP_NUM_THREADS' in login ? {} : { OMP_NUM_THREADS: cpus }),
    ...job.env,
    ...(gpus === undefined ? {} : gpuVariables(gpus.vendor, parseDevices(job.devices))),
    RQ: queueDirectory,
    RQ_Q: queueDirectory,
    PATH: `${join(queueDirectory, 'bin')}:${path}`,
  };
  for (const field of JOB_FIELDS) {
    // The starter sets RQ_PID.
    if (field !== 'pid') environment[`RQ_${field.toUpperCase()}`] = fieldText(job, field, queueDirectory);
  }
  for (const [name, value] of Object.entries(job.for ?? {})) environment[`RQ_FOR_${name}`] = value;
  environment['RQ_CPUS'] = cpus;
  environment['RQ_JOB'] = jobDocument(job);
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => Buffer.byteLength(value) <= MAX_VARIABLE_BYTES),
  );
}

function fieldText(job: ClaimedJob, field: JobField, queueDirectory: string): string {
  const value = jobValue(job, field) ?? '';
  if (value === '') return '';
  return pathOf(job, field, queueDirectory) ?? (typeof value === 'object' ? JSON.stringify(value) : String(value));
}

/** The absolute path for a field that names a file; undefined for any other field. */
function pathOf(job: ClaimedJob, field: JobField, queueDirectory: string): string | undefined {
  if (isFileKind(field)) return storedPath(queueDirectory, field, job);
  return field === 'stdout' || field === 'stderr' ? join(queueDirectory, field, String(job.jid)) : undefined;
}
