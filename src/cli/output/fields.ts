import { closest } from 'fastest-levenshtein';
import { errorMessage, RqError } from '../../job/errors.ts';

const REGULAR_EXPRESSION = /[\\^$.*+?()[\]{}|]/;

/**
 * The fields that `--fields` selects, in its order and without duplicates. Its value is a comma-separated list of names,
 * prefixes and regular expressions. Throws USAGE for an item that matches no field.
 */
export function chooseFields<Name extends string>(text: string, names: readonly Name[]): Name[] {
  return [...new Set(text.split(',').flatMap((word) => fieldsOf(word, names)))];
}

function fieldsOf<Name extends string>(word: string, names: readonly Name[]): Name[] {
  const found = REGULAR_EXPRESSION.test(word) ? matching(word, names) : startingWith(word, names);
  if (found.length > 0) return found;
  const nearest = closest(word, [...names]);
  const fields = names.join(', ');
  throw new RqError('USAGE', `there is no field "${word}" to print; did you mean ${nearest}? The fields are ${fields}`);
}

/** The field with this name, or else all fields that start with it. */
function startingWith<Name extends string>(word: string, names: readonly Name[]): Name[] {
  const exact = names.filter((name) => name === word);
  if (exact.length > 0 || word === '') return exact;
  return names.filter((name) => name.startsWith(word));
}

function matching<Name extends string>(word: string, names: readonly Name[]): Name[] {
  try {
    const expression = new RegExp(word);
    return names.filter((name) => expression.test(name));
  } catch (error) {
    throw new RqError('USAGE', `cannot select fields by "${word}": ${errorMessage(error)}`, { cause: error });
  }
}
