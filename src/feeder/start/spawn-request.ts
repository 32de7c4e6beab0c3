import { join } from 'node:path';
import type { ClaimedJob } from '../../job/job.ts';
import { holdingOf } from '../../job/placement/holding.ts';
import { parseWarning } from '../../job/quantities/warning.ts';
import { storedPath } from '../../queue/files/stored-names.ts';
import type { AttemptLimits, SpawnRequest } from '../../runner/protocol/messages.ts';
import { type JobHost, jobEnvironment } from './job-environment.ts';

export interface SpawnSettings extends JobHost {
  /** The time between SIGTERM and SIGKILL at a limit. */
  readonly killGraceMs: number;
}

/** Describes a claimed job to the runner. */
export function spawnRequest(job: ClaimedJob, settings: SpawnSettings): SpawnRequest {
  const { jid, claim, command, cwd } = job;
  const { queueDirectory, killGraceMs } = settings;
  const { cpus, devices, resources } = holdingOf(job);
  return {
    jid,
    claim,
    command,
    cwd,
    env: jobEnvironment(job, settings),
    stdin: job.stdin === null ? null : storedPath(queueDirectory, 'stdin', job),
    stdout: join(queueDirectory, 'stdout', String(jid)),
    stderr: join(queueDirectory, 'stderr', String(jid)),
    weight: cpus,
    limits: limitsOf(job, killGraceMs),
    holding: { devices, resources },
    // Another host may have written what the job reads.
    ...(job.after === null ? {} : { revalidate: true }),
  };
}

function limitsOf({ time_limit, memory, warn }: ClaimedJob, graceMs: number): AttemptLimits {
  if (time_limit === null && memory === null) return {};
  const warning = warn === null ? undefined : parseWarning(warn);
  return {
    graceMs,
    ...(time_limit === null ? {} : { timeLimitMs: time_limit * 1000 }),
    ...(memory === null ? {} : { memoryBytes: memory }),
    ...(warning === undefined ? {} : { warn: { signal: warning.signal, beforeMs: warning.beforeS * 1000 } }),
  };
}
