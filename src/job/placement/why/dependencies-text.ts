import { hasFailed } from '../../job.ts';
import { LOST_JID, LOST_REASON } from '../dependencies.ts';
import type { Gate, Need } from './facts.ts';
import { clockTime, listed } from './phrases.ts';

const MAX_LISTED = 5;
const MAX_SHORT = 3;
/** Needs are counted up to this number. */
export const MAX_NEEDS = 1_000;

/** Whether a need can no longer be met. */
export function isNever({ kind, parent }: Need): boolean {
  const end = endOf(parent);
  return end !== undefined && ((kind === 'ok' && end === 'failed') || (kind === 'failed' && end === 'ok'));
}

/** Whether the job of a need has ended so that the need is met. The next exchange records it. */
function isMet(need: Need): boolean {
  return endOf(need.parent) !== undefined && !isNever(need);
}

/** How a job ended; undefined if it has not. A deleted job counts as failed. */
function endOf(parent: Need['parent']): 'ok' | 'failed' | undefined {
  if (parent === undefined || hasFailed(parent)) return 'failed';
  return parent.state === 'finished' ? 'ok' : undefined;
}

/** `needs 41 (running on n2 since 10:03), 42 (failed: never)`. */
export function needsText({ needs, total }: Gate, now: string): string {
  if (needs.some(isLost)) return `${LOST_REASON}; set them again with: update JID after=…`;
  if (needs.length === total && needs.every(isMet)) {
    return 'its dependencies are met; it can start after the next exchange of a feeder';
  }
  const items = inOrder(needs).map((need) => `${subject(need)} (${stateText(need, now)})`);
  return `needs ${withTotal(items, MAX_LISTED, total)}`;
}

/** `41, 42`, or `42 (failed)` for those that can no longer be met. */
export function shortNeeds({ needs, total }: Gate): string {
  if (needs.some(isLost)) return 'lost dependencies';
  const items = inOrder(needs).map((need) => (isNever(need) ? `${need.jid} (${endText(need)})` : String(need.jid)));
  return withTotal(items, MAX_SHORT, total);
}

function withTotal(items: readonly string[], max: number, total: number): string {
  if (total <= MAX_NEEDS) return listed(items, max, total);
  return `${items.slice(0, max).join(', ')} and more than ${MAX_NEEDS - max} more`;
}

function isLost({ jid }: Need): boolean {
  return jid === LOST_JID;
}

/** Those that can no longer be met come first. */
function inOrder(needs: readonly Need[]): Need[] {
  return [...needs].sort((a, b) => Number(isNever(b)) - Number(isNever(a)) || a.jid - b.jid);
}

function subject({ kind, jid }: Need): string {
  switch (kind) {
    case 'ok':
      return String(jid);
    case 'any':
      return `the end of ${jid}`;
    case 'failed':
      return `the failure of ${jid}`;
  }
}

function stateText(need: Need, now: string): string {
  const { parent } = need;
  if (isNever(need)) return `${endText(need)}: never`;
  if (parent?.state === 'holding') return 'held';
  if (parent?.state === 'running') {
    return `running on ${parent.runner}${parent.started === null ? '' : ` since ${clockTime(parent.started, now)}`}`;
  }
  return parent?.state === 'pending' ? 'pending' : endText(need);
}

function endText({ parent }: Need): string {
  if (parent === undefined) return 'deleted';
  return hasFailed(parent) ? 'failed' : 'succeeded';
}
