/** The request to end a job, as its row keeps it. Times are ISO 8601 in UTC. */
export interface KillWish {
  /** User and host: `ann on n3`. */
  readonly by: string;
  readonly at: string;
  /** Why, in the words of the user. */
  readonly reason: string | null;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly grace: number;
}

export const DEFAULT_GRACE_S = 30;

/** The reason of a job that was ended while it ran. */
export function killedReason({ by, reason }: KillWish): string {
  return `killed by ${by}${reason === null ? '' : `: ${reason}`}`;
}

/** The reason of a job that was ended before it began, or between two attempts. */
export function killedBeforeReason({ by, reason }: KillWish): string {
  return `killed before it began, by ${by}${reason === null ? '' : `: ${reason}`}`;
}
