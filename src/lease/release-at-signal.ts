const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Marks the listeners of this file, of which a process has one for each queue. */
const RELEASES = Symbol('releases leases');

type Listener = ((signal: NodeJS.Signals) => void) & { readonly [RELEASES]: true };

/**
 * Releases leases before a signal ends the process, and when the process exits. Listens only while a lease is held: with
 * a listener, a signal waits for the event loop, which a file system that does not answer may block for ever. Without
 * one, a signal ends the process at once.
 */
export class ReleaseAtSignal {
  private readonly releases = new Set<() => void>();
  private isListening = false;
  private readonly onSignal: Listener = Object.assign((signal: NodeJS.Signals): void => this.endBySignal(signal), {
    [RELEASES]: true as const,
  });
  private readonly onExit = (): void => this.releaseAll();

  /** Starts to listen; the returned function stops. */
  listen(release: () => void): () => void {
    if (!this.isListening) for (const signal of ENDING_SIGNALS) process.on(signal, this.onSignal);
    if (!this.isListening) process.on('exit', this.onExit);
    this.isListening = true;
    this.releases.add(release);
    return () => {
      // Node delivers a signal that arrived while the event loop was busy in its next turn, and drops it if nothing
      // listens then. The first immediate may belong to the current turn.
      if (this.releases.delete(release) && this.releases.size === 0) {
        setImmediate(() => setImmediate(() => this.stop()).unref()).unref();
      }
    };
  }

  private endBySignal(signal: NodeJS.Signals): void {
    // Another listener decides what the signal means: a feeder first finishes its jobs.
    if (!process.listeners(signal).every(isOurs)) return;
    this.releaseAll();
    this.stop();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  }

  private releaseAll(): void {
    for (const release of [...this.releases]) {
      try {
        release();
      } catch {
        // The process ends. Others break the lease after its stale time.
      }
    }
    this.releases.clear();
  }

  private stop(): void {
    if (this.releases.size > 0) return;
    this.isListening = false;
    for (const signal of ENDING_SIGNALS) process.off(signal, this.onSignal);
    process.off('exit', this.onExit);
  }
}

function isOurs(listener: unknown): boolean {
  return typeof listener === 'function' && RELEASES in listener;
}
