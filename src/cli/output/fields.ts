import { closest } from 'fastest-levenshtein';
import { errorMessage, RqError } from '../../job/errors.ts';
import { uniquePrefix } from '../input/selection.ts';

const EXPRESSION = /[\\^$.*+?()[\]{}|]/;

/**
 * The names that `--fields` asks for, in that order and each once: a comma-separated list of names, unique prefixes
 * and regular expressions. Throws USAGE for one that matches nothing, or as a prefix several.
 */
export function chooseFields<Name extends string>(text: string, names: readonly Name[]): Name[] {
  return [...new Set(text.split(',').flatMap((word) => fieldsOf(word, names)))];
}

function fieldsOf<Name extends string>(word: string, names: readonly Name[]): Name[] {
  const chosen = EXPRESSION.test(word) ? matching(word, names) : [uniquePrefix(word, names, 'field')];
  const found = chosen.filter((name) => name !== undefined);
  if (found.length > 0) return found;
  const nearest = names.length === 0 ? '' : `, did you mean ${closest(word, [...names])}?`;
  throw new RqError('USAGE', `there is no field "${word}" to print${nearest} There are ${names.join(', ')}`);
}

function matching<Name extends string>(word: string, names: readonly Name[]): Name[] {
  try {
    const expression = new RegExp(word);
    return names.filter((name) => expression.test(name));
  } catch (error) {
    throw new RqError('USAGE', `cannot choose fields by "${word}": ${errorMessage(error)}`, { cause: error });
  }
}
