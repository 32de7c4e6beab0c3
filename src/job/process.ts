import { readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** The environment of this process, for one that it starts. */
export function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * When a process started, in clock ticks since boot (proc(5), stat field 22); undefined if there is none, or only
 * a zombie, or another user's that is hidden (hidepid=2); throws EPERM for such a one where its pid is told (hidepid=1). A pid and its start time name a process for good: a pid that is used again has another start time.
 */
export function processStartTime(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  // The second field is the program's name in parentheses and may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === 'Z' || state === 'X') return undefined;
  return Number(fields[19]);
}
