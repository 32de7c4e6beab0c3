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
