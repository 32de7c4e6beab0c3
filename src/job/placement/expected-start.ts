import type { Resources } from './needs.ts';

/** What a running job holds, and when it ends. */
export interface Holder {
  readonly cpus: number;
  readonly memory: number;
  readonly gpus: number;
  readonly needs: Resources;
  readonly elapsedS: number;
  /** In seconds; null without a limit. */
  readonly timeLimitS: number | null;
}

type Amounts = Pick<Holder, 'cpus' | 'memory' | 'gpus' | 'needs'>;

/**
 * After how many seconds enough running jobs have ended for a job with these requests. A job ends at its time limit; one
 * without a limit is expected to run for as long again as it has run so far.
 */
export function expectedWaitS(wanted: Amounts, free: Amounts, holders: readonly Holder[]): number {
  const left = { ...free, needs: { ...free.needs } };
  const byEnd = holders.map((holder) => ({ holder, endS: remainingS(holder) })).sort((a, b) => a.endS - b.endS);
  for (const { holder, endS } of byEnd) {
    left.cpus += holder.cpus;
    left.memory += holder.memory;
    left.gpus += holder.gpus;
    for (const [name, count] of Object.entries(holder.needs)) left.needs[name] = (left.needs[name] ?? 0) + count;
    if (isEnough(left, wanted)) return endS;
  }
  return 0;
}

function remainingS({ elapsedS, timeLimitS }: Holder): number {
  return timeLimitS === null ? elapsedS : Math.max(0, timeLimitS - elapsedS);
}

function isEnough(free: Amounts, wanted: Amounts): boolean {
  const { cpus, memory, gpus, needs } = wanted;
  if (cpus > free.cpus || memory > free.memory || gpus > free.gpus) return false;
  return Object.entries(needs).every(([name, count]) => count <= (free.needs[name] ?? 0));
}
