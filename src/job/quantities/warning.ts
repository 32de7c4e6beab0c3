import { constants } from 'node:os';
import { parseDuration } from './duration.ts';

/** A signal that is sent some time before the time limit. */
export interface Warning {
  readonly signal: NodeJS.Signals;
  readonly beforeS: number;
}

/** A process cannot catch them. */
const UNCATCHABLE: readonly string[] = ['SIGKILL', 'SIGSTOP'];

/** The warning that a text such as `USR2@60s` requests; undefined for other text. */
export function parseWarning(text: string): Warning | undefined {
  const at = text.indexOf('@');
  const signal = signalOf(text.slice(0, Math.max(0, at)));
  const beforeS = parseDuration(text.slice(at + 1));
  return signal === undefined || beforeS === undefined || beforeS === 0 ? undefined : { signal, beforeS };
}

function signalOf(text: string): NodeJS.Signals | undefined {
  const name = text.toUpperCase();
  const signal = name.startsWith('SIG') ? name : `SIG${name}`;
  const isCatchable = Object.hasOwn(constants.signals, signal) && !UNCATCHABLE.includes(signal);
  return isCatchable ? (signal as NodeJS.Signals) : undefined;
}
