import { closest, distance } from 'fastest-levenshtein';

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
