import { setTimeout as sleep } from 'node:timers/promises';

/** Polls a condition until it returns something true, and returns that. Rejects after the timeout. */
export async function waitFor<T>(condition: () => T | Promise<T>, timeoutMs = 30_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not true after ${timeoutMs} ms: ${String(condition)}`);
    await sleep(20);
  }
}
