import { readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../job/errors.ts';
import { processStartTime } from '../job/process.ts';

export interface FoundProcess {
  readonly pid: number;
  readonly start_time: number;
}

/** Whether the process that had this pid and start time still runs. */
export function isAlive({ pid, start_time }: { pid: number; start_time: number | null }): boolean {
  return start_time !== null && processStartTime(pid) === start_time;
}

/**
 * The session leaders of this host by their RQ_ATTEMPT_ID, as far as one may see their environment. A job's children
 * have it too, and one that made a session of its own is a leader as well: the oldest is the job. Throws what the system
 * says if it cannot look.
 */
export function findAttempts(ids: ReadonlySet<string>): Map<string, FoundProcess> {
  const found = new Map<string, FoundProcess>();
  if (ids.size === 0) return found;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !isSessionLeader(pid)) continue;
    const id = attemptId(pid);
    const start_time = id !== undefined && ids.has(id) ? processStartTime(pid) : undefined;
    if (id === undefined || start_time === undefined) continue;
    const other = found.get(id);
    if (other === undefined || start_time < other.start_time) found.set(id, { pid, start_time });
  }
  return found;
}

function isSessionLeader(pid: number): boolean {
  // After the name in parentheses: state, parent, group, session (proc(5)).
  const stat = readProcess(pid, 'stat');
  return Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === pid;
}

function attemptId(pid: number): string | undefined {
  const variables = readProcess(pid, 'environ')?.split('\0');
  return variables?.find((variable) => variable.startsWith('RQ_ATTEMPT_ID='))?.slice('RQ_ATTEMPT_ID='.length);
}

function readProcess(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    // Gone meanwhile, or another user's. Not to be able to look is something else.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
