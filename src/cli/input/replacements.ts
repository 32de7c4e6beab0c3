import { RqError } from '../../job/errors.ts';

/**
 * The edit that the values of `--replace` describe, two for each: all occurrences of the first text become the second one.
 * The edit returns undefined for text in which none of the first texts occurs. Undefined without values. Throws USAGE for
 * an empty first text.
 */
export function readReplacements(values: readonly string[]): ((text: string) => string | undefined) | undefined {
  if (values.length === 0) return undefined;
  const pairs = Array.from({ length: values.length / 2 }, (_, index) => {
    const [old = '', replacement = ''] = values.slice(2 * index);
    return { old, replacement };
  });
  if (pairs.some(({ old }) => old === '')) {
    throw new RqError('USAGE', 'cannot update: the text to replace is empty; give the text that the commands contain');
  }
  return (text) => {
    let edited = text;
    let isFound = false;
    for (const { old, replacement } of pairs) {
      isFound ||= edited.includes(old);
      edited = edited.replaceAll(old, () => replacement);
    }
    return isFound ? edited : undefined;
  };
}
