import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** The prefix of variables that one process of rq sets for another. */
export const INTERNAL_VARIABLE = 'RQ_LAUNCHER_';

/** The environment of this process, for jobs. */
export function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith(INTERNAL_VARIABLE),
    ),
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

/** `O_CLOEXEC` in the flags of /proc/PID/fdinfo (proc(5)). Node has no constant for it. */
const O_CLOEXEC = 0o2_000_000;

/**
 * Closes all descriptors above 2 that this process inherited. Otherwise a lock or a pipe of whoever started it would stay
 * open in it and in its children. Must be called before this process opens descriptors that its children inherit.
 */
export function closeInheritedDescriptors(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    // Node and its libraries set the flag for what they open. At its start, Node also sets it for the channel to its parent.
    if (Number(name) > 2 && isInheritable(name)) closeSync(Number(name));
  }
}

/** False if it is closed, as that of the directory that listed it is. */
function isInheritable(descriptor: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return false;
  }
}

/** The umask of this process (proc(5), Umask). The function of Node changes the umask in order to read it. */
export function ownUmask(): number {
  const status = readFileSync('/proc/self/status', 'latin1');
  return Number.parseInt(/^Umask:\s*([0-7]+)/m.exec(status)?.[1] ?? '022', 8);
}
