import type { AttemptKey } from '../../job/job.ts';
import type { Environment, Fields, ResourceLimits } from './fields.ts';
import type { AttemptHolding } from './holdings.ts';

// The messages of docs/runner-protocol.md, which specifies their meaning.

export const PROTOCOL_VERSION = 2;
/** Includes the newline. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
export const MAX_LISTED = 2000;
/** The number of attempts beyond the slots that a client may spawn. They wait in the runner. */
export const MAX_AHEAD = 64;
export const MAX_SLOTS = 1_000_000;
export const MAX_WEIGHT = 1_000_000;
export const MAX_REASON_LENGTH = 1000;
export const MAX_GRACE_MS = 86_400_000;

export interface ServerHello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  /** The random id of the journal. While it stays the same, an unlisted attempt was never started or was acknowledged. */
  readonly journal: string;
  readonly boot: string;
}

/** The limits of an attempt. What is absent is not limited. */
export interface AttemptLimits {
  /** The time for which it may run. The time in which it is paused does not count. */
  readonly timeLimitMs?: number;
  /** A signal that all its processes get this long before the time limit. */
  readonly warn?: { readonly signal: NodeJS.Signals; readonly beforeMs: number };
  readonly memoryBytes?: number;
  /** The time between SIGTERM and SIGKILL at a limit; 30 s by default. */
  readonly graceMs?: number;
}

/** Paths are absolute, and null is /dev/null. `env` is added to the base environment. */
export interface SpawnRequest extends AttemptKey {
  readonly command: string;
  readonly cwd: string;
  readonly env: Environment;
  readonly stdin: string | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
  /** The number of slots that the attempt occupies; 1 by default. */
  readonly weight?: number;
  /** Whether the directory is listed first, so that an NFS client asks the server for it. */
  readonly revalidate?: boolean;
  readonly limits?: AttemptLimits;
  readonly holding?: AttemptHolding;
}

/** The settings of attempts that are spawned later. They have the umask and the soft limits of the runner by default. */
export interface JobSettings {
  readonly umask?: number;
  readonly limits?: ResourceLimits;
}

/** The reply to a spawn. The pid is null if the attempt could not be started; its exit has the reason. */
export interface Spawned {
  readonly pid: number | null;
  readonly started: string;
}

/** The reply to a request that sets the number of slots. */
export interface SlotsReply {
  /** How many attempts may be spawned beyond the slots. They wait in the runner. */
  readonly ahead: number;
  /** Whether the journal of the runner keeps the devices of attempts. A runner of an earlier version forgets them. */
  readonly keepsDevices: boolean;
}

export interface SignalRequest extends AttemptKey {
  readonly signal: NodeJS.Signals;
  /** The time after which the remaining processes get SIGKILL. Without it, they get none. */
  readonly graceMs?: number;
  /** The id of the order. The signal of an order is sent once, also if the order is repeated. */
  readonly order?: number;
}

export type Request =
  | ({ readonly id: number; readonly type: 'spawn' } & SpawnRequest)
  | ({ readonly id: number; readonly type: 'signal' } & SignalRequest)
  | ({ readonly id: number; readonly type: 'environment'; readonly env: Environment } & JobSettings)
  | ({ readonly id: number; readonly type: 'pause' | 'resume' } & AttemptKey)
  | { readonly id: number; readonly type: 'slots'; readonly slots: number }
  | { readonly id: number; readonly type: 'cancel'; readonly attempts: readonly AttemptKey[] }
  | { readonly id: number; readonly type: 'list'; readonly after: AttemptKey | null }
  | { readonly id: number; readonly type: 'ack'; readonly attempts: readonly AttemptKey[] }
  | { readonly id: number; readonly type: 'shutdown' };

export interface RunningAttempt extends AttemptKey {
  readonly state: 'running';
  readonly pid: number;
  /** ISO 8601 in UTC with milliseconds. */
  readonly started: string;
  readonly isPaused: boolean;
  readonly held: ListedHolding;
}

/** What a listed attempt holds of its host. */
export interface ListedHolding extends AttemptHolding {
  /** The number of slots; undefined for a runner of an earlier version, which does not list what attempts hold. */
  readonly weight: number | undefined;
  /** Its memory limit in bytes; null if it has none. */
  readonly memoryBytes: number | null;
}

export type Limit = 'time' | 'memory';
export type NotStarted = 'failed' | 'shortage';

/** The end of an attempt: an exit status, the name of a signal, or neither and a reason. A limit has a reason as well. */
export interface Exit extends AttemptKey {
  readonly pid: number | null;
  readonly started: string;
  readonly finished: string;
  /** Seconds by the monotonic clock, to the millisecond. Null if the runner did not observe the end. */
  readonly elapsed: number | null;
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  /** The limit that the attempt has exceeded. It has also failed if its exit status is 0. */
  readonly limit: Limit | null;
  /** True if the starter was killed, so that the exit status is unknown. The job may have completed. */
  readonly isLost: boolean;
  /**
   * Why the job was not started; null if it may have been started. `failed`: the host could not start it. `shortage`: the
   * host cannot start any job at the moment.
   */
  readonly not_started: NotStarted | null;
  /** The maximum resident set of a process, in bytes. Null if it is unknown. */
  readonly max_rss: number | null;
  /** The processor time of the processes that were waited for, in seconds. Null if it is unknown. */
  readonly cpu_time: number | null;
  /** The number of processes that are left. Null if it is unknown. */
  readonly left_behind: number | null;
}

export interface ExitedAttempt extends AttemptKey {
  readonly state: 'exited';
  readonly exit: Exit;
  readonly held: ListedHolding;
}

export type ListedAttempt = RunningAttempt | ExitedAttempt;

export type RequestErrorCode =
  | 'INVALID'
  | 'UNKNOWN_REQUEST'
  | 'ATTEMPT_KNOWN'
  | 'NO_ATTEMPT'
  | 'CANCELLED'
  | 'NOT_READY'
  | 'JOURNAL'
  | 'SHUTTING_DOWN'
  | 'FAILED';

export type ByeCode = 'REPLACED' | 'PROTOCOL' | 'TOO_LONG' | 'STOPPING';

export type ServerMessage =
  | ServerHello
  | { readonly type: 'exit'; readonly exit: Exit }
  | { readonly type: 'bye'; readonly code: string; readonly message: string }
  | { readonly type: 'reply'; readonly id: number; readonly body: Fields }
  | { readonly type: 'failure'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly type: 'unknown' };

/** An error that the runner sends as the reply to a request. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The line of an exit, as an event and as an entry of the journal. */
export function exitLine(exit: Exit): string {
  return JSON.stringify({ type: 'exit', ...exitFields(exit) });
}

/** The fields of an exit in events, lists and the journal. */
export function exitFields({ isLost, ...fields }: Exit): object {
  return { ...fields, is_lost: isLost };
}

/** The key alone, of an object that may have other fields. */
export function keyOf({ jid, claim }: AttemptKey): AttemptKey {
  return { jid, claim };
}

export function attemptName({ jid, claim }: AttemptKey): string {
  return `${jid}.${claim}`;
}
