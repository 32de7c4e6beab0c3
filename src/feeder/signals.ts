type Order = 'shutdown' | 'restart' | 'stop';

/** What each signal tells a feeder; a second Ctrl-C means that the user does not want to wait. */
const ORDERS: Partial<Record<NodeJS.Signals, Order>> = {
  SIGTERM: 'shutdown',
  SIGINT: 'shutdown',
  SIGHUP: 'restart',
  SIGQUIT: 'stop',
};

/** Hands signals on as orders until it is stopped. */
export function listenToSignals(tell: (order: Order, why: string) => void): { stop(): void } {
  let interrupts = 0;
  const handle = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT') interrupts += 1;
    tell(interrupts > 1 ? 'stop' : (ORDERS[signal] ?? 'shutdown'), signal);
  };
  const signals = Object.keys(ORDERS) as NodeJS.Signals[];
  for (const signal of signals) process.on(signal, handle);
  return {
    stop: () => {
      for (const signal of signals) process.off(signal, handle);
    },
  };
}
