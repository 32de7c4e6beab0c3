import type { RqError } from '../../job/errors.ts';
import type { Fields } from './fields.ts';

/** The timeout consists of several timer ticks. An event loop that was blocked misses one tick, not the whole time. */
const TICKS = 4;

export interface Call {
  readonly resolve: (body: Fields) => void;
  readonly reject: (error: RqError) => void;
  readonly name: string;
}

/** The requests of a client that have no reply yet, and the time since the last reply. */
export class OutstandingCalls {
  private readonly calls = new Map<number, Call>();
  private timer: NodeJS.Timeout | undefined;
  private silentTicks = 0;

  constructor(
    private readonly timeoutMs: number,
    private readonly handlers: {
      /** There was no reply for the time. Gets the name of the oldest request. */
      readonly onTimeout: (name: string) => void;
      /**
       * Only spawns are outstanding, and half of the time is over. A spawn has no reply while the directory of its job does
       * not respond, so the client must send a request that shows whether the runner is alive.
       */
      readonly onSlowSpawns: () => void;
    },
  ) {}

  add(id: number, call: Call): void {
    this.calls.set(id, call);
    if (this.timer !== undefined) return;
    this.silentTicks = 0;
    this.timer = setInterval(() => this.tick(), this.timeoutMs / TICKS);
  }

  /** Removes the request of a reply. Any reply restarts the timeout, because requests are answered in order. */
  take(id: number): Call | undefined {
    this.silentTicks = 0;
    const call = this.calls.get(id);
    this.calls.delete(id);
    if (this.calls.size === 0) this.stopTimer();
    return call;
  }

  rejectAll(error: RqError): void {
    this.stopTimer();
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
  }

  private tick(): void {
    this.silentTicks += 1;
    const calls = [...this.calls.values()];
    const [oldest] = calls;
    if (this.silentTicks >= TICKS && oldest !== undefined) this.handlers.onTimeout(oldest.name);
    else if (this.silentTicks === TICKS / 2 && calls.every(({ name }) => name === 'spawn'))
      this.handlers.onSlowSpawns();
  }

  private stopTimer(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
