import type { EndKind, EndRequest } from './end-request.ts';
import { WAKE_SIGNAL } from './runtime/wake.ts';

const END_SIGNALS: Partial<Record<NodeJS.Signals, EndKind>> = {
  SIGTERM: 'shutdown',
  SIGINT: 'shutdown',
  SIGHUP: 'restart',
  SIGQUIT: 'stop',
};

/** Translates signals to requests. A second SIGINT (Ctrl-C) kills the jobs: the user does not want to wait. */
export class FeederSignals {
  /** Called for WAKE_SIGNAL. */
  onWake: () => void = () => undefined;
  private interrupts = 0;

  constructor(private readonly endRequest: EndRequest) {}

  start(): void {
    this.stop();
    for (const signal of Object.keys(END_SIGNALS)) process.on(signal, this.handle);
    process.on(WAKE_SIGNAL, this.wake);
  }

  stop(): void {
    for (const signal of Object.keys(END_SIGNALS)) process.off(signal, this.handle);
    process.off(WAKE_SIGNAL, this.wake);
  }

  private readonly wake = (): void => this.onWake();

  private readonly handle = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT') this.interrupts += 1;
    if (signal === 'SIGINT' && this.interrupts > 1) this.endRequest.request('stop', 'Ctrl-C');
    else if (signal === 'SIGQUIT') this.endRequest.request('stop', 'rq stop');
    else this.endRequest.request(END_SIGNALS[signal] ?? 'shutdown', signal);
  };
}
