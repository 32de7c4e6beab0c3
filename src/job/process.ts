import { readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** The environment of this process, for a child process. */
export function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * When a process started, in clock ticks since boot (proc(5), stat field 22). A pid and its start time identify a process:
 * a pid that is used again has another start time. Undefined if the process does not exist, is a zombie, or is a hidden
 * process of another user (hidepid=2). Throws EPERM for a process of another user whose pid is visible (hidepid=1).
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
  const fields = statFields(stat);
  const state = fields[0];
  if (state === 'Z' || state === 'X') return undefined;
  return Number(fields[19]);
}

/** Whether this process is the leader of its session (proc(5), stat field 6). */
export function isSessionLeader(): boolean {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return Number(statFields(stat)[3]) === process.pid;
}

/** The fields of /proc/PID/stat from the third on. The second is a name in parentheses, which may itself contain some. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The umask of this process (proc(5), Umask). The function of Node changes the umask in order to read it. */
export function ownUmask(): number {
  const status = readFileSync('/proc/self/status', 'latin1');
  return Number.parseInt(/^Umask:\s*([0-7]+)/m.exec(status)?.[1] ?? '022', 8);
}
