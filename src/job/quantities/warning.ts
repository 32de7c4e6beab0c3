import { parseDuration } from './duration.ts';
import { numberedSignal } from './signal.ts';

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
  const signal = numberedSignal(text.slice(0, Math.max(0, at)));
  const beforeS = parseDuration(text.slice(at + 1));
  if (signal === undefined || UNCATCHABLE.includes(signal) || !beforeS) return undefined;
  return { signal, beforeS };
}
