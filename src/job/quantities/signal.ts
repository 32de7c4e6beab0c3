import { constants } from 'node:os';

const REAL_TIME = /^SIGRT(?:MIN|MAX)(?:[+-]\d{1,2})?$/;

/** The name of a signal as users write it: `TERM`, `sigterm` and `SIGTERM` are the same. Undefined for no signal of Linux. */
export function signalName(text: string): string | undefined {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  return isNumbered(name) || REAL_TIME.test(name) ? name : undefined;
}

/** As `signalName`, without the real-time signals, whose numbers Node does not know. */
export function numberedSignal(text: string): NodeJS.Signals | undefined {
  const name = signalName(text);
  return name !== undefined && isNumbered(name) ? name : undefined;
}

function isNumbered(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name);
}
