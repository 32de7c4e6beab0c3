import { closest, distance } from 'fastest-levenshtein';
import { RqError } from '../errors.ts';

/** The name that a mistyped word most likely means; undefined if none is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const name = closest(word, [...names]);
  const changes = distance(word, name);
  return changes <= Math.max(2, word.length / 3) && changes < word.length ? name : undefined;
}

/** `; did you mean --list?` if a name is near, else nothing. */
export function nearestHint(word: string, names: readonly string[]): string {
  const name = nearest(word, names);
  return name === undefined ? '' : `; did you mean ${name}?`;
}

/** Returns the name that equals the text or is the only one that starts with it; undefined for none. Throws USAGE. */
export function uniquePrefix<Name extends string>(
  text: string,
  names: readonly Name[],
  kind: string,
): Name | undefined {
  const exact = names.find((name) => name === text);
  if (exact !== undefined) return exact;
  const matches = text === '' ? [] : names.filter((name) => name.startsWith(text));
  if (matches.length <= 1) return matches[0];
  throw new RqError('USAGE', `the ${kind} "${text}" is ambiguous: give ${matches.join(' or ')}`);
}
