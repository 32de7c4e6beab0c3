type Order = 'shutdown' | 'restart' | 'stop';

/** What each signal tells a feeder; a second Ctrl-C means that the user does not want to wait. */
const ORDERS: Partial<Record<NodeJS.Signals, Order>> = {
  SIGTERM: 'shutdown',
  SIGINT: 'shutdown',
  SIGHUP: 'restart',
  SIGQUIT: 'stop',
};

type Tell = (order: Order, why: string) => void;

/** Catches signals as orders until it is stopped; those that come before there is anybody to tell are kept. */
export function listenToSignals(): { deliverTo(tell: Tell): void; stop(): void } {
  let interrupts = 0;
  const kept: Parameters<Tell>[] = [];
  let tell: Tell = (...order) => kept.push(order);
  const handle = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT') interrupts += 1;
    if (signal === 'SIGINT' && interrupts > 1) tell('stop', 'Ctrl-C');
    else if (signal === 'SIGQUIT') tell('stop', 'rq stop');
    else tell(ORDERS[signal] ?? 'shutdown', signal);
  };
  const signals = Object.keys(ORDERS) as NodeJS.Signals[];
  for (const signal of signals) process.on(signal, handle);
  return {
    deliverTo: (receiver) => {
      tell = receiver;
      for (const order of kept.splice(0)) tell(...order);
    },
    stop: () => {
      for (const signal of signals) process.off(signal, handle);
    },
  };
}
