import type { Blocker } from './blockers.ts';
import { requestedText, type Shortage, sizeText } from './capacity.ts';
import type { Drained, HostFacts, HostVerdict, Turn } from './facts.ts';
import type { HostAndCause } from './host-causes.ts';
import { clockTime, counted, enumerated, listed } from './phrases.ts';

const MAX_JOBS = 5;

/** The verdict for a host, and the cause that decides it. */
export function verdictOf({ host, cause }: HostAndCause, blockers: readonly Blocker[], now: string): HostVerdict {
  const of = (verdict: HostVerdict['verdict'], text?: string): HostVerdict => {
    return { host: host.host, verdict, cause: text };
  };
  if (cause.kind === 'excluded') return of('never', `the job may run only on ${cause.runners.replaceAll(',', ', ')}`);
  if (cause.kind === 'too small') {
    return of('never', `${requestedText(cause.shortages)} requested; it has ${availableText(cause.shortages)}`);
  }
  const blocker = blockers.find(({ isNever }) => isNever) ?? blockers[0];
  if (blocker !== undefined) return of(blocker.isNever ? 'never' : 'later', blocker.text.replace(/: never$/, ''));
  switch (cause.kind) {
    case 'silent':
      return of('later', silenceText(host, now));
    case 'drained':
      return of('later', `drained ${drainText(cause.drained)}`);
    case 'skips':
      return of('later', `skips the job until ${clockTime(cause.until, now)}: ${cause.reason}`);
    case 'full':
      return of('later', `${fullText(cause.shortages, host)}${turnText(cause.turn, '; ')}`);
    case 'turn':
      return of('later', keptText(cause.turn) || turnText(cause.turn) || 'other jobs go first');
    case 'next':
      return of('now');
  }
}

/** `has not fed since yesterday 22:10`. */
export function silenceText({ lastHeartbeat }: HostFacts, now: string): string {
  return lastHeartbeat === null
    ? 'does not feed from this queue'
    : `has not fed since ${clockTime(lastHeartbeat, now)}`;
}

/** `by ann on n1: new disk`. */
export function drainText({ by, reason }: Drained): string {
  return `by ${by}${reason === null ? '' : `: ${reason}`}`;
}

/** `12 jobs go first`; empty if none does, or if rq has not found the place of the job. */
export function turnText(turn: Turn | undefined, prefix = ''): string {
  if (turn?.before === undefined || turn.before === 0) return '';
  const count = turn.isMore ? `more than ${counted(turn.before, 'job')}` : counted(turn.before, 'job');
  return `${prefix}${count} ${turn.before === 1 && !turn.isMore ? 'goes' : 'go'} first`;
}

/** `keeps free places for job 80`; empty if the host keeps none from the job. */
export function keptText(turn: Turn | undefined): string {
  return turn?.keptFor === undefined ? '' : `keeps free places for job ${turn.keptFor}`;
}

/** `(jobs 90, 91 run)`; empty without jobs. */
export function runningText({ running }: HostFacts): string {
  if (running.length === 0) return '';
  const jids = listed(running, MAX_JOBS);
  return running.length === 1 ? ` (job ${jids} runs)` : ` (jobs ${jids} run)`;
}

/** `1 of 8 cpus is free (jobs 90, 91 run)`. */
function fullText(shortages: readonly Shortage[], host: HostFacts): string {
  const { capacity } = host;
  const parts = shortages.map((each) => {
    const free = Math.max(0, each.available);
    const total = each.kind === 'resource' ? (capacity.resources[each.name] ?? 0) : (capacity[each.kind] ?? 0);
    if (each.kind === 'cpus') return `${free} of ${counted(total, 'cpu')}`;
    if (each.kind === 'gpus') return `${free} of ${counted(total, 'GPU')}`;
    return each.kind === 'memory'
      ? `${sizeText(each, free).replace(' of memory', '')} of ${sizeText(each, total)}`
      : `${free} of ${each.name}=${total}`;
  });
  const [one, second] = shortages;
  const isPlural = second !== undefined || (one?.kind !== 'memory' && one?.available !== 1);
  return `${enumerated(parts)} ${isPlural ? 'are' : 'is'} free${runningText(host)}`;
}

function availableText(shortages: readonly Shortage[]): string {
  return enumerated(shortages.map((each) => (each.available > 0 ? sizeText(each, each.available) : noneText(each))));
}

function noneText({ kind, name }: Shortage): string {
  return { cpus: 'no cpus', memory: 'no memory', gpus: 'no GPU', resource: `no ${name}` }[kind];
}
