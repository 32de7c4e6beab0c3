/** The process of an attempt: the leader of its session and of its process group. */
export interface Leader {
  readonly pid: number;
  /** Clock ticks since boot. Null if it is unknown. */
  readonly start_time: number | null;
}
