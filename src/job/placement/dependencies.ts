import { errorMessage, RqError } from '../errors.ts';
import type { FieldPair, JidRange } from '../selection.ts';
import { parseJid, parseRange } from '../terms/jids.ts';
import { parsePair } from '../terms/pairs.ts';
import { type Fault, shownValue } from '../value-faults.ts';

/** What a job requires of another one: that it ends with success, that it ends, or that it fails. */
export type DependencyKind = 'ok' | 'any' | 'failed';

/** One term of the field `after`. `each` is the jid of an array whose task with the same index must end with success. */
export type Dependency =
  | { readonly kind: DependencyKind; readonly jids: JidRange }
  | { readonly kind: DependencyKind; readonly pair: FieldPair }
  | { readonly each: number };

/** How a job ended that others depend on. A job that is deleted before it ends counts as failed. */
export type DependencyEnd = 'ok' | 'failed' | 'deleted';

const KIND = /^(ok|any|failed|each):/;
const FORMS =
  'a jid (41), a range (40-45), KEY=VALUE (tag=x), or each:JID, with "any:" or "failed:" before it if needed';

/**
 * Parses comma-separated terms: `41`, `40-45`, `any:42`, `failed:tag=x`, `each:17`. A comma in a value is written as `\,`.
 * Throws USAGE.
 */
export function parseDependencies(text: string): Dependency[] {
  return text.split(/(?<!\\),/).map((term) => parseTerm(term.trim().replaceAll('\\,', ',')));
}

function parseTerm(term: string): Dependency {
  const prefix = KIND.exec(term)?.[1];
  const target = prefix === undefined ? term : term.slice(prefix.length + 1);
  if (prefix === 'each') return { each: parseJid(target) };
  const kind = prefix === 'any' || prefix === 'failed' ? prefix : 'ok';
  const jids = parseRange(target);
  if (jids !== undefined) return { kind, jids };
  if (target.includes('=')) return { kind, pair: parsePair(target) };
  throw new RqError('USAGE', `${shownValue(term)} is not ${FORMS}`);
}

/** The fault of a list of dependencies, such as `41,any:42`. */
export function dependenciesFault(text: string): Fault {
  if (text === '') return 'is empty';
  try {
    parseDependencies(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    return `is not valid: ${errorMessage(error)}`;
  }
}

/** The field `after` as text. In YAML and JSON, a jid can be a number, and the terms can be a list. */
export function dependenciesText(given: unknown): unknown {
  if (Number.isSafeInteger(given)) return String(given);
  const isList = Array.isArray(given) && given.every((term) => typeof term === 'string' || Number.isSafeInteger(term));
  return isList ? given.join(',') : given;
}

/** Whether a dependency on a job that ended is met. If it is not, it never will be. */
export function isMet(kind: DependencyKind, end: DependencyEnd): boolean {
  switch (kind) {
    case 'ok':
      return end === 'ok';
    case 'failed':
      return end !== 'ok';
    case 'any':
      return true;
  }
}

/** Stands for dependencies that a recovery of the database could not read. */
export const LOST_JID = 0;
export const LOST_REASON = 'its dependencies were lost when the database was recovered';

/** Why a job is dead whose dependency on the job `jid` is not met. */
export function unmetReason(kind: DependencyKind, jid: number, end: DependencyEnd): string {
  if (jid === LOST_JID) return LOST_REASON;
  if (kind === 'failed') return `needs the failure of ${jid}, which succeeded`;
  return `needs ${jid}, which ${end === 'deleted' ? 'was deleted' : 'failed'}`;
}
