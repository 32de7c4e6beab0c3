import { readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';

/** The numbers of HUP, INT and TERM (signal(7)). */
const ENDING_SIGNALS = [1, 2, 15] as const;
const UNINTERRUPTIBLE = 'D';
const RUNNING = 'R';

/**
 * The NFS client wakes a blocked thread a few times a second, to connect or ask again. A thread that gets answers is
 * woken hundreds of times a second.
 */
const WAKES_PER_SECOND = 2;
const INITIAL_WAKES = 4;

/** The number of context switches of a thread when it stopped, and when that was. */
interface Standstill {
  readonly switches: number;
  readonly sinceMs: number;
}

/**
 * Detects blocked threads of this process from /proc/self/task (proc(5)). A thread in a system call that does not return
 * neither runs nor is switched to, except for the few wakes above.
 */
export class Threads {
  private standstills = new Map<string, Standstill>();
  private readonly main = String(process.pid);

  /**
   * How long the longest blocked thread has been blocked, in milliseconds; 0 if none is. The main thread also counts in
   * a system call that a signal would end, if a file operation is in progress. Otherwise it may be idle.
   */
  blockedMs(nowMs: number, isInOperation: boolean): number {
    const found = new Map<string, Standstill>();
    let earliestMs = nowMs;
    for (const task of readdirSync('/proc/self/task')) {
      const status = readStatus(task);
      if (status === undefined) continue;
      const before = this.standstills.get(task);
      const isBlocked = before !== undefined && status.state !== RUNNING && hasFewWakes(status.switches, before, nowMs);
      const standstill = isBlocked ? before : { switches: status.switches, sinceMs: nowMs };
      found.set(task, standstill);
      const isStuck = status.state === UNINTERRUPTIBLE || (task === this.main && isInOperation);
      if (isStuck) earliestMs = Math.min(earliestMs, standstill.sinceMs);
    }
    this.standstills = found;
    return nowMs - earliestMs;
  }

  /** A signal that would end the process and that the main thread has not received yet. */
  pendingSignal(): number | undefined {
    const pending = readStatus(this.main)?.pending ?? 0n;
    return ENDING_SIGNALS.find((signal) => (pending >> BigInt(signal - 1)) & 1n);
  }
}

function hasFewWakes(switches: number, { switches: before, sinceMs }: Standstill, nowMs: number): boolean {
  return switches - before <= INITIAL_WAKES + (WAKES_PER_SECOND * (nowMs - sinceMs)) / 1000;
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
