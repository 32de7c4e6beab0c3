import { readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { processStartTime } from '../../job/process.ts';
import type { Leader } from './leader.ts';

const VARIABLE = 'RQ_ATTEMPT_ID=';

interface FoundLeader extends Leader {
  readonly start_time: number;
}

/**
 * Finds session leaders of this host by the RQ_ATTEMPT_ID in their environment. The children of a job inherit the
 * variable, and a child with a session of its own is a leader too. The oldest leader is therefore the job. Throws if
 * /proc cannot be read, for example because too many files are open.
 */
export function findAttempts(ids: ReadonlySet<string>): Map<string, FoundLeader> {
  const found = new Map<string, FoundLeader>();
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
  // The fields after the program name in parentheses are: state, parent, group, session (proc(5)).
  const stat = readProcess(pid, 'stat');
  return Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === pid;
}

function attemptId(pid: number): string | undefined {
  const variables = readProcess(pid, 'environ')?.split('\0');
  return variables?.find((variable) => variable.startsWith(VARIABLE))?.slice(VARIABLE.length);
}

/** Undefined if the process has ended or belongs to another user. */
function readProcess(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
