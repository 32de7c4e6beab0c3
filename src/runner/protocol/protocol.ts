import type { AttemptKey } from '../../job/job.ts';

// docs/runner-protocol.md is the specification; these are its words.

export const PROTOCOL_VERSION = 1;
/** With the newline. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
export const MAX_LISTED = 2000;
/** How many attempts more than slots may be spawned: they wait at the runner. */
export const MAX_AHEAD = 64;
export const MAX_SLOTS = 1_000_000;
export const MAX_REASON_LENGTH = 1000;
export const MAX_GRACE_MS = 86_400_000;

export type Environment = Readonly<Record<string, string>>;

export interface ServerHello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  /** Random id of the journal: while it stays the same, an attempt that is not listed was never started or was acknowledged. */
  readonly journal: string;
  readonly boot: string;
}

/** Paths are absolute; null is /dev/null. `env` is added to the base environment. */
export interface SpawnRequest extends AttemptKey {
  readonly command: string;
  readonly cwd: string;
  readonly env: Environment;
  readonly stdin: string | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
}

export interface SignalRequest extends AttemptKey {
  readonly signal: NodeJS.Signals;
  /** SIGKILL to the group after so many milliseconds; absent for never. */
  readonly graceMs?: number;
}

export type Request =
  | ({ readonly id: number; readonly type: 'spawn' } & SpawnRequest)
  | ({ readonly id: number; readonly type: 'signal' } & SignalRequest)
  | { readonly id: number; readonly type: 'environment'; readonly env: Environment }
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
}

/** How an attempt ended: an exit status, or a signal's name, or neither and a reason. */
export interface Exit extends AttemptKey {
  readonly pid: number | null;
  readonly started: string;
  readonly finished: string;
  /** Seconds by the monotonic clock, to the millisecond; null where nobody measured. */
  readonly elapsed: number | null;
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  /** Nobody can know how it ended, since a runner was killed; it may have run to its end. */
  readonly isLost: boolean;
}

export interface ExitedAttempt extends AttemptKey {
  readonly state: 'exited';
  readonly exit: Exit;
}

export type KnownAttempt = RunningAttempt | ExitedAttempt;

export type RequestErrorCode =
  | 'INVALID'
  | 'UNKNOWN_REQUEST'
  | 'ATTEMPT_KNOWN'
  | 'NO_ATTEMPT'
  | 'CANCELLED'
  | 'JOURNAL'
  | 'SHUTTING_DOWN'
  | 'FAILED';

export type ByeCode = 'REPLACED' | 'PROTOCOL' | 'TOO_LONG' | 'STOPPING';

export type ServerMessage =
  | ServerHello
  | { readonly type: 'exit'; readonly exit: Exit }
  | { readonly type: 'bye'; readonly code: string; readonly message: string }
  | { readonly type: 'reply'; readonly id: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly type: 'failure'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly type: 'unknown' };

/** What a request is refused with: the runner stays well and says so in an error reply. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** An exit as in events, lists and the journal. */
export function exitFields({ isLost, ...fields }: Exit): object {
  return { ...fields, is_lost: isLost };
}

export function attemptName({ jid, attempt }: AttemptKey): string {
  return `${jid}.${attempt}`;
}
