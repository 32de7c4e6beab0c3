import type { CommandCall } from './command-call.ts';

const DEFAULT_LOCK_TIMEOUT_S = 60;

/** How long the call waits for the lease and for locks, in milliseconds. */
export function lockTimeoutMs(call: Pick<CommandCall, 'options'>): number {
  return (call.options.number('lock-timeout') ?? DEFAULT_LOCK_TIMEOUT_S) * 1000;
}
