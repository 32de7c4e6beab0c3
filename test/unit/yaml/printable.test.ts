import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText, printableLine } from '../../../src/job/printable.ts';
import { quotedText } from '../../../src/yaml/scalar.ts';

/** Characters that a terminal interprets: control characters, line separators and direction marks. */
const OBEYED = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const nasty = fc.string({
  unit: fc.oneof(fc.constantFrom(...'\u001b\u009b\u202e\u2066\u200f\u061c\u2028\n'), fc.string()),
});

test('printed text has no characters that a terminal interprets, and JSON and quoted text parse to the original', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      for (const shown of [jsonText(text), quotedText(text), printableLine(text)]) expect(shown).not.toMatch(OBEYED);
      expect(JSON.parse(jsonText(text))).toBe(text);
      expect(JSON.parse(quotedText(text))).toBe(text);
    }),
  );
});

test('undefined is printed as null, and JSON keeps its indentation', () => {
  expect(jsonText(undefined)).toBe('null');
  expect(jsonText({ a: '\u202e' }, 2)).toBe('{\n  "a": "\\u202e"\n}');
});
