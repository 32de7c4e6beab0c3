import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until the condition gives something true, and gives that; rejects after the timeout, in milliseconds. */
export async function waitFor<T>(condition: () => T | Promise<T>, timeoutMs = 30_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${String(condition)}`);
    await sleep(20);
  }
}
