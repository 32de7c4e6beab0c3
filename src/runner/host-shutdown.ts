import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Clock } from '../job/clock.ts';

/** How long an end by a signal is held back, to see whether the host shuts down. */
const HOLD_MS = 2000;
/** systemd sends SIGKILL 90 s after SIGTERM by default (DefaultTimeoutStopSec). */
const SHUTDOWN_MS = 90_000;
const SYSTEMCTL_MS = 1000;
/** The signals that end processes when a host shuts down or a session ends. */
const SIGNALS: ReadonlySet<string> = new Set(['SIGTERM', 'SIGHUP', 'SIGKILL']);

export const SHUT_DOWN = 'the host was shut down';

/** Whether a shutdown of the host can be the cause of an end by this signal. */
export function mayBeShutdown(signal: string | null): boolean {
  return signal !== null && SIGNALS.has(signal);
}

/** Distinguishes the shutdown of the host from a signal that somebody sent to a job. */
export class HostShutdown {
  private signalledMs = Number.NEGATIVE_INFINITY;
  private hold = new AbortController();

  constructor(private readonly clock: Clock) {}

  /** This process has received SIGTERM or SIGHUP. rq never sends them to a runner, so the host or the session ends. */
  noteSignal(): void {
    this.signalledMs = this.clock.monotonicMs();
    this.hold.abort();
    this.hold = new AbortController();
  }

  /** Waits for at most two seconds. Whether the host shuts down. */
  async isUnderWay(): Promise<boolean> {
    if (this.wasSignalled) return true;
    await this.clock.sleep(HOLD_MS, this.hold.signal);
    return this.wasSignalled || (await isSystemStopping());
  }

  private get wasSignalled(): boolean {
    return this.clock.monotonicMs() - this.signalledMs < SHUTDOWN_MS;
  }
}

/** Asks systemd, where it runs. */
function isSystemStopping(): Promise<boolean> {
  if (!existsSync('/run/systemd/system')) return Promise.resolve(false);
  return new Promise((resolve) => {
    const options = { cwd: '/', timeout: SYSTEMCTL_MS } as const;
    // The exit status is not 0 for any state but `running`.
    execFile('systemctl', ['is-system-running'], options, (_, stdout) => resolve(stdout.trim() === 'stopping'));
  });
}
