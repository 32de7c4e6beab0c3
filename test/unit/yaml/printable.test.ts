import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText, printableLine } from '../../../src/job/printable.ts';
import { quotedText } from '../../../src/yaml/scalar.ts';

/** What a terminal would obey: controls, separators of lines, marks of direction. */
const OBEYED = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const nasty = fc.string({
  unit: fc.oneof(fc.constantFrom(...'\u001b\u009b\u202e\u2066\u200f\u061c\u2028\n'), fc.string()),
});

test('no text drives a terminal, and as JSON and between quotes it stays what it is', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      for (const shown of [jsonText(text), quotedText(text), printableLine(text)]) expect(shown).not.toMatch(OBEYED);
      expect(JSON.parse(jsonText(text))).toBe(text);
      expect(JSON.parse(quotedText(text))).toBe(text);
    }),
  );
});

test('nothing at all is null, and indents stay', () => {
  expect(jsonText(undefined)).toBe('null');
  expect(jsonText({ a: '\u202e' }, 2)).toBe('{\n  "a": "\\u202e"\n}');
});
