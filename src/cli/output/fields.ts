import { closest } from 'fastest-levenshtein';
import { errorMessage, RqError } from '../../job/errors.ts';
import { uniquePrefix } from '../input/selection.ts';

const REGULAR_EXPRESSION = /[\\^$.*+?()[\]{}|]/;

/**
 * The fields that `--fields` selects, in its order and without duplicates. Its value is a comma-separated list of names,
 * unique prefixes and regular expressions. Throws USAGE for an item that matches no field, or an ambiguous prefix.
 */
export function chooseFields<Name extends string>(text: string, names: readonly Name[]): Name[] {
  return [...new Set(text.split(',').flatMap((word) => fieldsOf(word, names)))];
}

function fieldsOf<Name extends string>(word: string, names: readonly Name[]): Name[] {
  const chosen = REGULAR_EXPRESSION.test(word) ? matching(word, names) : [uniquePrefix(word, names, 'field')];
  const found = chosen.filter((name) => name !== undefined);
  if (found.length > 0) return found;
  const nearest = closest(word, [...names]);
  const fields = names.join(', ');
  throw new RqError('USAGE', `there is no field "${word}" to print; did you mean ${nearest}? The fields are ${fields}`);
}

function matching<Name extends string>(word: string, names: readonly Name[]): Name[] {
  try {
    const expression = new RegExp(word);
    return names.filter((name) => expression.test(name));
  } catch (error) {
    throw new RqError('USAGE', `cannot select fields by "${word}": ${errorMessage(error)}`, { cause: error });
  }
}
