import { constants } from 'node:os';
import { SHUT_DOWN } from '../host-shutdown.ts';
import type { Exit, NotStarted } from '../protocol/messages.ts';

/** How an attempt ended: the fields of its exit that do not depend on its start. */
export type AttemptEnd = Omit<Exit, 'jid' | 'claim' | 'pid' | 'started' | 'finished' | 'elapsed'>;

/** An end as the starter reports it. */
export interface ObservedEnd extends AttemptEnd {
  /** The maximum resident set without the shared memory that samples saw. Null or absent if it is unknown. */
  readonly unsharedBytes?: number | null;
}

const FIRST_REAL_TIME_SIGNAL = 34;
/** Reversed, so that the first of two names counts: SIGABRT, not SIGIOT. */
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
);
const NO_USAGE = { max_rss: null, cpu_time: null, left_behind: null };
const LEFT_USER = 'processes are left that changed their user and could not be killed';

/** The end of an attempt that could not be started. */
export function startFailed(reason: string, not_started: NotStarted): AttemptEnd {
  return { exit_status: null, signal: null, reason, limit: null, isLost: false, not_started, ...NO_USAGE };
}

/** The end of an attempt whose exit status is unknown. */
export function endUnknown(reason: string): AttemptEnd {
  return { exit_status: null, signal: null, reason, limit: null, isLost: true, not_started: null, ...NO_USAGE };
}

/** Replaces the end of an attempt that the shutdown of the host has ended. */
export const SHUT_DOWN_END = { exit_status: null, signal: null, reason: SHUT_DOWN, isLost: true } as const;

/** The end of an attempt from the fields STATUS, RSS, USER, SYSTEM, LEFT, CAUSE and UNSHARED of the starter. */
export function endOf(status: number, usage: readonly string[]): ObservedEnd {
  const [rss = '', user = '', system = '', left = '', cause = '', unshared = ''] = usage;
  const signal = status & 127;
  return {
    exit_status: signal === 0 ? (status >> 8) & 255 : null,
    signal: signal === 0 ? null : signalName(signal),
    reason: cause === 'user' ? LEFT_USER : null,
    limit: null,
    isLost: false,
    not_started: null,
    unsharedBytes: optional(unshared),
    max_rss: optional(rss),
    cpu_time: user === '' ? null : (Number(user) + Number(system)) / 1e6,
    left_behind: optional(left),
  };
}

function optional(field: string): number | null {
  return field === '' ? null : Number(field);
}

/** Real-time signals have the names that bash gives them: SIGRTMIN, SIGRTMIN+1. */
function signalName(number: number): string {
  const name = SIGNAL_NAMES.get(number);
  if (name !== undefined) return name;
  const above = number - FIRST_REAL_TIME_SIGNAL;
  if (above < 0) return `SIG${number}`;
  return above === 0 ? 'SIGRTMIN' : `SIGRTMIN+${above}`;
}
