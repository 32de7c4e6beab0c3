import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { temporaryName } from './files/temporary-names.ts';

/** The clock of the file server, beside that of this host. Milliseconds. */
export interface ServerClock {
  readonly nowMs: number;
  /** How far this host's clock is ahead of the server's; negative where it is behind. */
  readonly offsetMs: number;
}

/** Reads the server's clock from the time stamp of a file that is made in a directory now, and removed again. */
export function readServerClock(directory: string, clock: Clock): ServerClock {
  const path = join(directory, temporaryName());
  const beforeMs = Date.parse(clock.now());
  writeFileSync(path, '', { flag: 'wx' });
  try {
    const nowMs = statSync(path).mtimeMs;
    const ownMs = (beforeMs + Date.parse(clock.now())) / 2;
    return { nowMs, offsetMs: ownMs - nowMs };
  } finally {
    rmSync(path, { force: true });
  }
}
