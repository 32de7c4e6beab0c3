import { INTERNAL_VARIABLE, ownUmask } from '../../job/process.ts';
import type { ResourceLimits } from '../../runner/protocol/fields.ts';
import { limitsOfParent, parseSoftLimits } from './soft-limits.ts';

const UMASK = `${INTERNAL_VARIABLE}UMASK`;
/** Set by bin/rq to the text of /proc/self/limits. */
const LIMITS = `${INTERNAL_VARIABLE}LIMITS`;

/** The umask and the soft limits of the process that started the feeder. A login shell starts from them. */
export interface LaunchSettings {
  readonly umask: number;
  readonly limits: ResourceLimits;
}

/**
 * Returns the variables that pass the settings on to a daemon, or to the next feeder after a restart. To be called before
 * this process changes its umask. Where Node was called directly, as in a crontab line, the limits are those of its parent.
 */
export function launchVariables(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return {
    [UMASK]: environment[UMASK] ?? ownUmask().toString(8),
    [LIMITS]: environment[LIMITS] ?? limitsOfParent(),
  };
}

export function launchSettings(variables: Readonly<Record<string, string>>): LaunchSettings {
  return { umask: Number.parseInt(variables[UMASK] ?? '', 8), limits: parseSoftLimits(variables[LIMITS] ?? '') };
}

/** The names of the variables with undefined values, for a child process that must not see them. */
export const WITHOUT_LAUNCH_VARIABLES = { [UMASK]: undefined, [LIMITS]: undefined };
