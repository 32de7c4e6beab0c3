import type { Clock } from '../../job/clock.ts';
import type { JournaledAttempt } from '../journal/journal-entries.ts';
import { attemptName } from '../protocol/messages.ts';
import type { StarterClient } from '../start/starter-client.ts';
import { Alarm } from './alarm.ts';

const PERIOD_MS = 2000;
const MAX_PERIOD_MS = 60_000;
/** Without memory limits, a sample takes at most this share of the time. */
const SAMPLE_SHARE = 0.01;
/** To confirm a sample, the kernel visits all pages of the attempt. */
const CONFIRM_SHARE = 0.05;

export interface MemoryLimitsOptions {
  readonly clock: Clock;
  readonly starter: StarterClient;
  readonly onLimit: (attempt: JournaledAttempt, bytes: number) => void;
}

/**
 * Samples the memory of running attempts, for their limits. The starter keeps the maxima for the usage. The samples count
 * pages that processes share after a fork several times, so those above a limit are confirmed.
 */
export class MemoryLimits {
  private readonly attempts = new Map<string, JournaledAttempt>();
  private readonly alarm: Alarm;
  private isSampling = false;
  private pauseMs = PERIOD_MS;
  private confirmAfterMs = 0;

  constructor(private readonly options: MemoryLimitsOptions) {
    this.alarm = new Alarm(options.clock.monotonicMs, () => void this.sample());
  }

  add(attempt: JournaledAttempt): void {
    this.attempts.set(attemptName(attempt), attempt);
    const delayMs = limitOf(attempt) === Number.POSITIVE_INFINITY ? this.pauseMs : PERIOD_MS;
    this.alarm.setAt(this.options.clock.monotonicMs() + delayMs);
  }

  remove(name: string): void {
    this.attempts.delete(name);
  }

  private async sample(): Promise<void> {
    if (this.isSampling || this.attempts.size === 0) return;
    this.isSampling = true;
    const { clock, starter } = this.options;
    const startMs = clock.monotonicMs();
    const above = this.above(await starter.sample());
    const costMs = clock.monotonicMs() - startMs;
    this.pauseMs = Math.min(MAX_PERIOD_MS, Math.max(PERIOD_MS, costMs / SAMPLE_SHARE));
    if (above.size > 0 && startMs >= this.confirmAfterMs) await this.confirm([...above.keys()]);
    this.isSampling = false;
    const hasLimit = [...this.attempts.values()].some((attempt) => limitOf(attempt) < Number.POSITIVE_INFINITY);
    this.alarm.setAt(startMs + (hasLimit ? PERIOD_MS : this.pauseMs));
  }

  private async confirm(names: readonly string[]): Promise<void> {
    const { clock, starter, onLimit } = this.options;
    const startMs = clock.monotonicMs();
    const above = this.above(await starter.sample(names));
    const endMs = clock.monotonicMs();
    this.confirmAfterMs = endMs + (endMs - startMs) / CONFIRM_SHARE;
    for (const [name, bytes] of above) {
      const attempt = this.attempts.get(name);
      if (attempt !== undefined) onLimit(attempt, bytes);
    }
  }

  /** The samples above the limits. */
  private above(samples: ReadonlyMap<string, number>): Map<string, number> {
    return new Map([...samples].filter(([name, bytes]) => bytes > limitOf(this.attempts.get(name))));
  }
}

function limitOf(attempt: JournaledAttempt | undefined): number {
  return attempt?.limits?.memoryBytes ?? Number.POSITIVE_INFINITY;
}
