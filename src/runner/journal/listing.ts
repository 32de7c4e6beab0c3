import type { AttemptKey } from '../../job/job.ts';
import { holdingFields } from '../protocol/holdings.ts';
import { exitFields, MAX_LISTED } from '../protocol/messages.ts';
import type { Journal } from './journal.ts';
import { isPaused, type JournaledAttempt } from './journal-entries.ts';

/** Returns the fields of the reply to `list`: the attempts in order, those after `after`. */
export function listAttempts(journal: Journal, after: AttemptKey | null): { attempts: object[]; more: boolean } {
  const isListed = (attempt: JournaledAttempt): boolean => after === null || compareKeys(attempt, after) > 0;
  const listed = [...journal.attempts.values()].filter(isListed).sort(compareKeys);
  return { attempts: listed.slice(0, MAX_LISTED).flatMap(listFields), more: listed.length > MAX_LISTED };
}

function compareKeys(one: AttemptKey, other: AttemptKey): number {
  return one.jid - other.jid || one.claim - other.claim;
}

/** Empty for an attempt that was spawned after the list request: its start is not decided. */
function listFields(attempt: JournaledAttempt): object[] {
  const { jid, claim, started, process, exit, weight, limits = {}, holding } = attempt;
  const held = { weight, memory_bytes: limits.memoryBytes, ...holdingFields(holding) };
  if (exit !== undefined) return [{ state: 'exited', ...exitFields(exit), ...held }];
  return process === undefined
    ? []
    : [{ jid, claim, state: 'running', pid: process.pid, started, paused: isPaused(attempt), ...held }];
}
