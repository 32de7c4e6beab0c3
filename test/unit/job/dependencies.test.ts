import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Dependency,
  dependenciesFault,
  dependenciesText,
  isMet,
  parseDependencies,
  unmetReason,
} from '../../../src/job/placement/dependencies.ts';

test.each<[string, Dependency[]]>([
  ['41', [{ kind: 'ok', jids: { first: 41, last: 41 } }]],
  [
    '41,any:42',
    [
      { kind: 'ok', jids: { first: 41, last: 41 } },
      { kind: 'any', jids: { first: 42, last: 42 } },
    ],
  ],
  [
    'ok:41, failed:40-45',
    [
      { kind: 'ok', jids: { first: 41, last: 41 } },
      { kind: 'failed', jids: { first: 40, last: 45 } },
    ],
  ],
  ['tag=night1', [{ kind: 'ok', pair: { field: 'tag', value: 'night1' } }]],
  ['any:array=17', [{ kind: 'any', pair: { field: 'array', value: 17 } }]],
  ['ta=a:b=c', [{ kind: 'ok', pair: { field: 'tag', value: 'a:b=c' } }]],
  [
    'tag=a\\,b,3',
    [
      { kind: 'ok', pair: { field: 'tag', value: 'a,b' } },
      { kind: 'ok', jids: { first: 3, last: 3 } },
    ],
  ],
  ['each:17', [{ each: 17 }]],
])('%s is read as the dependencies that it names', (text, expected) => {
  expect(parseDependencies(text)).toEqual(expected);
  expect(dependenciesFault(text)).toBeUndefined();
});

test.each([
  ['', 'is empty'],
  ['41,', '"" is not a jid'],
  ['0', '"0" is not a jid'],
  ['45-40', 'the range 45-40 is reversed: give 40-45'],
  ['running', '"running" is not a jid (41), a range'],
  ['some:41', '"some:41" is not a jid'],
  ['any:', '"any:" is not a jid'],
  ['each:tag=x', '"tag=x" is not a jid'],
  ['each:1-5', '"1-5" is not a jid'],
  ['tagg=x', 'no such field; did you mean tag?'],
  ['st=x', 'the field "st" is ambiguous'],
  ['priority=high', 'the value must be an integer'],
])('%j is refused', (text, message) => {
  expect(dependenciesFault(text)).toContain(message);
});

test('any list of valid terms is read term by term', () => {
  const jid = fc.integer({ min: 1, max: 2 ** 40 });
  const prefix = fc.constantFrom('', 'ok:', 'any:', 'failed:');
  const value = fc.stringMatching(/^[^\\,\s\0]{1,20}$/).filter((text) => text !== 'null');
  const target = fc.oneof(
    jid.map(String),
    fc.tuple(jid, jid).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    value.map((text) => `tag=${text}`),
  );
  const term = fc.oneof(
    fc.tuple(prefix, target).map((parts) => parts.join('')),
    jid.map((each) => `each:${each}`),
  );
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 6 }), (terms) => {
      expect(parseDependencies(terms.join(','))).toEqual(terms.flatMap(parseDependencies));
      expect(parseDependencies(terms.join(' , '))).toHaveLength(terms.length);
    }),
  );
});

test('no text makes the check throw', () => {
  fc.assert(fc.property(fc.string(), (text) => ['string', 'undefined'].includes(typeof dependenciesFault(text))));
});

test('in a document, a jid can be a number, and the terms can be a list', () => {
  expect([41, [41, 'any:42'], 'tag=x', 1.5, [true], null].map(dependenciesText)).toEqual([
    '41',
    '41,any:42',
    'tag=x',
    1.5,
    [true],
    null,
  ]);
});

describe('a dependency that', () => {
  test.each([
    ['requires success', 'ok', [true, false, false]],
    ['requires an end', 'any', [true, true, true]],
    ['requires a failure', 'failed', [false, true, true]],
  ] as const)('%s is met or not by success, failure and deletion', (_, kind, expected) => {
    expect((['ok', 'failed', 'deleted'] as const).map((end) => isMet(kind, end))).toEqual(expected);
  });

  test('is not met has a reason', () => {
    expect(unmetReason('ok', 41, 'failed')).toBe('needs 41, which failed');
    expect(unmetReason('ok', 41, 'deleted')).toBe('needs 41, which was deleted');
    expect(unmetReason('failed', 41, 'ok')).toBe('needs the failure of 41, which succeeded');
  });
});
