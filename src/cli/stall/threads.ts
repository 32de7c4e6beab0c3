import { readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';

/** The numbers of the signals that end a process (signal(7)). */
const ENDING_SIGNALS = [1, 2, 15] as const;
const UNINTERRUPTIBLE = 'D';
const RUNNING = 'R';

/**
 * A thread that waits for an answer is woken now and then all the same, to connect again or to ask once more; one that
 * gets answers is so a hundred times a second.
 */
const WAKES_A_SECOND = 2;
const WAKES_AT_ONCE = 4;

/** How often a thread had been switched to when it stood still, and since when it does. */
interface Stand {
  readonly switches: number;
  readonly sinceMs: number;
}

/**
 * Sees from /proc/self/task (proc(5)) whether the other threads of this process get on: one that is in a call which the
 * kernel does not end neither runs nor is switched to, but for a few times. To look asks no file system but proc.
 */
export class Threads {
  private stands = new Map<string, Stand>();
  private readonly main = String(process.pid);

  /**
   * How long the thread that is stuck for longest has been so, in milliseconds; 0 if none is. The main thread counts
   * also in a call that a signal would end, if it is known to be in a step; else it may just have nothing to do.
   */
  stuckMs(nowMs: number, isInStep: boolean): number {
    const found = new Map<string, Stand>();
    let sinceMs = nowMs;
    for (const task of readdirSync('/proc/self/task')) {
      const status = readStatus(task);
      if (status === undefined) continue;
      const before = this.stands.get(task);
      const isStill = before !== undefined && status.state !== RUNNING && isFew(status.switches, before, nowMs);
      const now = isStill ? before : { switches: status.switches, sinceMs: nowMs };
      found.set(task, now);
      const isStuck = status.state === UNINTERRUPTIBLE || (task === this.main && isInStep);
      if (isStuck) sinceMs = Math.min(sinceMs, now.sinceMs);
    }
    this.stands = found;
    return nowMs - sinceMs;
  }

  /** A signal that would end the process and that the main thread has not taken: the kernel keeps it for later. */
  pendingSignal(): number | undefined {
    const pending = readStatus(this.main)?.pending ?? 0n;
    return ENDING_SIGNALS.find((signal) => (pending >> BigInt(signal - 1)) & 1n);
  }
}

function isFew(switches: number, { switches: before, sinceMs }: Stand, nowMs: number): boolean {
  return switches - before <= WAKES_AT_ONCE + (WAKES_A_SECOND * (nowMs - sinceMs)) / 1000;
}

function readStatus(task: string): { state: string; switches: number; pending: bigint } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/self/task/${task}/status`, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '';
  const switches = Number(field('voluntary_ctxt_switches')) + Number(field('nonvoluntary_ctxt_switches'));
  const pending = BigInt(`0x${field('ShdPnd') || 0}`) | BigInt(`0x${field('SigPnd') || 0}`);
  return { state: field('State'), switches, pending };
}
