import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { documentText, type Printable, printable } from '../../../src/yaml/document.ts';
import { anyText } from './arbitrary.ts';

const key = anyText.filter((text) => text !== '__proto__' && text !== '<<' && text.length < 500);
const leaf = fc.oneof(anyText, fc.integer(), fc.boolean(), fc.constant(null));
const { node } = fc.letrec<{ node: Printable }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(key, tie('node'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

it('prints nested maps and lists that YAML 1.1 and 1.2 read back unchanged', () => {
  fc.assert(
    fc.property(node, (value) => {
      for (const version of ['1.1', '1.2'] as const) expect(parse(documentText(value), { version })).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

it('prints one key and value per line, and a line with only a dash before the keys of a list item', () => {
  const report = { jobs: { pending: 2, none: undefined }, nodes: [{ host: 'a', slots: 4 }, { host: 'b' }], empty: [] };
  expect(documentText(report)).toBe(
    '---\njobs:\n  pending: 2\nnodes:\n  -\n    host: a\n    slots: 4\n  -\n    host: b\nempty: []\n',
  );
  expect(documentText([{ jid: 1 }, 'a', [2, {}]])).toBe('---\n-\n  jid: 1\n- a\n-\n  - 2\n  - {}\n');
});

it('prints JSON with the same contents', () => {
  expect(JSON.parse(documentText({ a: [1, { b: null }] }, { json: true }))).toEqual({ a: [1, { b: null }] });
});

it('prints no values of other types', () => {
  expect(() => printable({ a: [1n] })).toThrow('cannot print a value of the type bigint');
});
