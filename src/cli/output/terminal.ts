import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Major numbers of the devices (linux/Documentation/admin-guide/devices.txt). */
const PSEUDO_TERMINALS = { first: 136, last: 143 };
const MEMORY_DEVICES = 1;

/** Whether a descriptor is a terminal. Mostly avoids `isatty`, whose module loads streams and sockets. */
export function isTerminal(descriptor: number): boolean {
  const stats = fstatSync(descriptor);
  if (!stats.isCharacterDevice()) return false;
  const major = (stats.rdev >> 8) & 0xfff;
  if (major >= PSEUDO_TERMINALS.first && major <= PSEUDO_TERMINALS.last) return true;
  return major !== MEMORY_DEVICES && isatty(descriptor);
}

/** The width for text on stdout: COLUMNS, or the width of the terminal; undefined without either. */
export function outputWidth(environment: NodeJS.ProcessEnv): number | undefined {
  const columns = Number(environment['COLUMNS']);
  if (Number.isSafeInteger(columns) && columns > 0) return columns;
  return (isTerminal(1) && process.stdout.columns) || undefined;
}
