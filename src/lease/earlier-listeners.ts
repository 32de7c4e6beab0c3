/** Signals on which a process is expected to end, and the functions that listened to them before any lease was known. */
export const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const earlier = new Map(ENDING_SIGNALS.map((signal) => [signal, new Set<unknown>(process.listeners(signal))]));

/** Whether a function listened to a signal when this file was loaded. */
export function isEarlier(signal: (typeof ENDING_SIGNALS)[number], listener: unknown): boolean {
  return earlier.get(signal)?.has(listener) === true;
}
