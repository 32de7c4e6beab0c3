/** Limits of values that users give to rq. */
export const MAX_COMMAND_BYTES = 1024 * 1024;
export const MAX_TAG_BYTES = 255;
export const MAX_NOTE_BYTES = 65_536;
/** All variables of a job as JSON. With other variables and arguments, this is below the default limit of execve(2): 2 MiB. */
export const MAX_ENV_BYTES = 262_144;
/** Linux allows 128 KiB for one variable (execve(2), MAX_ARG_STRLEN). */
export const MAX_VARIABLE_BYTES = 100_000;
/** Of a variable. */
export const MAX_NAME_BYTES = 255;
export const MIN_PRIORITY = -(2 ** 31);
export const MAX_PRIORITY = 2 ** 31 - 1;
export const MAX_JOBS = 10_000_000;
/** Of a task in its array. */
export const MAX_INDEX = 1_000_000_000;
export const MAX_RUNNERS_BYTES = 4096;
export const MAX_RETRIES = 10_000;
export const MAX_BACKOFF_BYTES = 255;
export const MAX_RETRY_ON_BYTES = 1024;
/** The longest pause before a retry, and the longest grace period of a kill. */
export const MAX_PAUSE_S = 30 * 86_400;
export const MAX_GRACE_S = 86_400;
export const MAX_WAIT_S = 366 * 86_400;
/** PATH_MAX of Linux (linux/limits.h). */
export const MAX_PATH_BYTES = 4096;
/** As the default of Slurm. */
export const MAX_SCRIPT_BYTES = 4 * 1024 * 1024;
export const MAX_SLOTS = 10_000;
/** In seconds. */
export const MAX_TIME_LIMIT_S = 366 * 86_400;
/** In bytes. A bash with 3,000 functions of a profile takes 14 MiB. */
export const MIN_MEMORY = 16 * 1024 ** 2;
export const MAX_MEMORY = 1024 ** 5;
export const MAX_WARN_BYTES = 64;
/** Of one job: more than any machine has. */
export const MAX_CPUS = 10_000;
export const MAX_GPUS = 1024;
export const MAX_LANES_BYTES = 1024;
export const MAX_NEEDS_BYTES = 1024;
export const MAX_AFTER_BYTES = 65_536;
/** The limit of a lane, of the tasks of an array, and of the jobs of an owner that run at the same time. */
export const MAX_RUNNING = 1_000_000;
