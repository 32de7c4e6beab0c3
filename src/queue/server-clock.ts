import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { temporaryName } from './files/temporary-names.ts';

/** The clock of the file server and that of this host, in milliseconds. */
export interface ServerClock {
  readonly nowMs: number;
  /** How far the clock of this host is ahead of the clock of the server; negative if it is behind. */
  readonly offsetMs: number;
}

/** Reads the server's clock from the time stamp of a temporary file. */
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
