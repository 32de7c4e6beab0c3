const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const REPEAT_MS = 50;

/**
 * Runs work that makes temporary files. A signal that ends the process meanwhile first removes them with `cleanUp`, and
 * then has its default action.
 */
export async function cleanUpAtSignal<Result>(
  cleanUp: () => Promise<void> | void,
  work: () => Promise<Result> | Result,
): Promise<Result> {
  let ending: Promise<never> | undefined;
  const endBySignal = (signal: NodeJS.Signals): void => {
    const end = (): void => {
      stop();
      process.kill(process.pid, signal);
      // A lease also listens while it is held. Node drops a signal if its last listener is removed before the delivery.
      setTimeout(end, REPEAT_MS);
    };
    // A second signal does not wait for a file system that does not answer.
    if (ending === undefined) ending = endAfter(cleanUp, end);
    else end();
  };
  const stop = (): void => {
    for (const signal of SIGNALS) process.off(signal, endBySignal);
  };
  for (const signal of SIGNALS) process.on(signal, endBySignal);
  try {
    return await work();
  } finally {
    // The work fails, because its files are removed.
    if (ending !== undefined) await ending;
    stop();
  }
}

async function endAfter(cleanUp: () => Promise<void> | void, end: () => void): Promise<never> {
  try {
    await cleanUp();
  } finally {
    end();
  }
  return await new Promise<never>(() => undefined);
}
