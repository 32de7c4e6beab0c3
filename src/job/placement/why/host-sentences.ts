import type { Blocker } from './blockers.ts';
import { mergedShortages, requestedText, type Shortage, shortageKey, sizeText } from './capacity.ts';
import type { Reservation, WaitingFacts } from './facts.ts';
import type { HostAndCause, HostCause } from './host-causes.ts';
import { clockTime, enumerated, listed } from './phrases.ts';
import { drainText, keptText, runningText, silenceText, turnText } from './verdicts.ts';

const MAX_HOSTS = 3;

type Of<Kind extends HostCause['kind']> = HostAndCause & { readonly cause: { readonly kind: Kind } };

/** Why no host can run the job now. Omits temporary causes if the job is blocked for another reason. */
export function hostSentences(
  { shape, reservation }: WaitingFacts,
  causes: readonly HostAndCause[],
  blockers: readonly Blocker[],
  now: string,
): string[] {
  if (!causes.some(({ host }) => host.isFeeding)) return ['no host feeds from this queue'];
  const eligible = causes.filter(({ cause }) => cause.kind !== 'excluded');
  const fitting = eligible.filter(({ cause }) => cause.kind !== 'too small');
  const feeding = fitting.filter(({ host }) => host.isFeeding);
  if (feeding.length === 0) return [unfitText(shape.runners, eligible, fitting, now)];
  const undrained = feeding.filter(({ cause }) => cause.kind !== 'drained');
  if (undrained.length === 0) return [drainedText(of(feeding, 'drained'), causes)];
  if (blockers.length > 0) return [];
  const kept = reservation === undefined ? [] : [reservedText(reservation, now)];
  return [...passingSentences(undrained, now), ...kept];
}

/** `n2 keeps places free for it since 10:03`. */
function reservedText({ host, since }: Reservation, now: string): string {
  const places = host === null ? 'the next free places of its lanes are kept' : `${host} keeps places free`;
  return `${places} for it since ${clockTime(since, now)}`;
}

/** No host that feeds can run the job. */
function unfitText(
  runners: string | null,
  eligible: readonly HostAndCause[],
  fitting: readonly HostAndCause[],
  now: string,
): string {
  const only = `only ${(runners ?? '').replaceAll(',', ', ')} may run it`;
  const small = of(eligible, 'too small').filter(({ host }) => host.isFeeding);
  if (small.length === 0) return `${only}, and ${silentText(fitting, now)}`;
  const shortages = small.map(({ cause }) => cause.shortages);
  if (fitting.length === 0) return `${tooBigText(shortages, runners !== null)}: never`;
  const names = listed(
    fitting.map(({ host }) => host.host),
    MAX_HOSTS,
  );
  const verb = fitting.length === 1 ? 'has' : 'have';
  return `asks for ${requestedText(mergedShortages(shortages))}, which only ${names} ${verb}, and ${silentText(fitting, now)}`;
}

function silentText(silent: readonly HostAndCause[], now: string): string {
  const [first, second] = silent;
  if (first === undefined) return 'no such host feeds from this queue';
  return second === undefined ? `${first.host.host} ${silenceText(first.host, now)}` : 'none of them feeds';
}

/** `asks for 32 cpus; the largest host that feeds has 16`, for the shortages of each host. */
export function tooBigText(shortages: readonly (readonly Shortage[])[], isRestricted: boolean): string {
  const which = isRestricted ? 'that feeds and may run it' : 'that feeds';
  const all = mergedShortages(shortages);
  // Requests that exceed what every host has.
  const common = all.filter((each) => shortages.every((list) => amountsOf(each, [list]).length > 0));
  if (common.length === 0) return `asks for ${requestedText(all)}; no host ${which} has all of this`;
  const largest = common.map((each) => ({ ...each, available: Math.max(...amountsOf(each, shortages)) }));
  return `asks for ${requestedText(largest)}; ${enumerated(largest.map((each) => largestText(each, which)))}`;
}

/** What hosts have of one request. */
function amountsOf(request: Shortage, shortages: readonly (readonly Shortage[])[]): number[] {
  return shortages
    .flat()
    .filter((each) => shortageKey(each) === shortageKey(request))
    .map(({ available }) => available);
}

function largestText(largest: Shortage, which: string): string {
  const { kind, name, available } = largest;
  if (kind === 'gpus' || kind === 'resource') {
    const what = kind === 'gpus' ? 'a GPU' : name;
    return available > 0
      ? `no host ${which} has more than ${sizeText(largest, available)}`
      : `no host ${which} has ${what}`;
  }
  const size = kind === 'cpus' ? String(available) : sizeText(largest, available);
  return `the largest host ${which} has ${size}`;
}

function drainedText(drained: readonly Of<'drained'>[], causes: readonly HostAndCause[]): string {
  const feeding = causes.filter(({ host }) => host.isFeeding);
  const names = drained.map(({ host, cause }) => `${host.host} (${drainText(cause.drained)})`);
  if (drained.length === feeding.length && drained.length > 1) {
    return `all hosts that feed are drained: ${listed(names, MAX_HOSTS)}`;
  }
  const [first] = drained;
  if (drained.length === 1 && first !== undefined) {
    const which = feeding.length === 1 ? 'the only host that feeds' : 'the only host that can run it';
    return `${first.host.host}, ${which}, is drained ${drainText(first.cause.drained)}`;
  }
  return `the hosts that can run it are drained: ${listed(names, MAX_HOSTS)}`;
}

/** What passes by itself: the job waits for a free place, for its turn, or for the time of the next try. */
function passingSentences(causes: readonly HostAndCause[], now: string): string[] {
  const next = of(causes, 'next').map(({ host }) => host.host);
  if (next.length > 0) return [`${listed(next, MAX_HOSTS)} can start it now`];
  const full = of(causes, 'full');
  const [keeping] = of(causes, 'turn').filter(({ cause }) => cause.turn?.keptFor !== undefined);
  if (keeping !== undefined) return [`${keeping.host.host} ${keptText(keeping.cause.turn)}`];
  const turns = [...of(causes, 'turn'), ...full].flatMap(({ cause }) => cause.turn ?? []);
  const [first] = turns.filter(({ before }) => before !== undefined).sort((a, b) => (a.before ?? 0) - (b.before ?? 0));
  const order = turnText(first);
  if (of(causes, 'turn').length > 0) return [order || 'jobs that go first take the free places'];
  if (full.length > 0) return [fitsText(full), ...(order === '' ? [] : [order])];
  return of(causes, 'skips').map(({ host, cause }) => {
    return `${host.host} skips it until ${clockTime(cause.until, now)}: ${cause.reason}`;
  });
}

/** `fits n2 when 4 cpus are free there (jobs 90, 91 run)`, for the host that lacks the smallest part of its size. */
function fitsText(full: readonly Of<'full'>[]): string {
  const lack = ({ cause }: Of<'full'>): number =>
    cause.shortages.reduce((sum, { requested, available }) => sum + (requested - available) / requested, 0);
  const [first] = [...full].sort((a, b) => lack(a) - lack(b));
  if (first === undefined) return '';
  const { shortages } = first.cause;
  const [one, second] = shortages;
  const isPlural = second !== undefined || ((one?.kind === 'cpus' || one?.kind === 'gpus') && one.requested > 1);
  const when = `${requestedText(shortages)} ${isPlural ? 'are' : 'is'} free`;
  return `fits ${first.host.host} when ${when} there${runningText(first.host)}`;
}

function of<Kind extends HostCause['kind']>(causes: readonly HostAndCause[], kind: Kind): Of<Kind>[] {
  return causes.filter((each): each is Of<Kind> => each.cause.kind === kind);
}
