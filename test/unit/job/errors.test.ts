import { expect, test } from 'vitest';
import { errorCode, errorMessage } from '../../../src/job/errors.ts';

test.each([
  ['ENOSPC', 'ENOSPC'],
  // The code in Node 20 for a write above a quota.
  ['Unknown system error -122', 'EDQUOT'],
  [122, undefined],
])('the code of an error whose code is %s is %s', (code, expected) => {
  expect(errorCode(Object.assign(new Error('failed'), { code }))).toBe(expected);
});

test('a value that is not a system error has no code', () => {
  expect([errorCode(new Error('failed')), errorCode({ code: 'EIO' }), errorCode(undefined)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('an error for which libuv has no name has the code and the message of its errno', () => {
  const stale = Object.assign(new Error('Unknown system error -116: Unknown system error -116, fstat'), {
    code: 'Unknown system error -116',
  });
  expect(errorCode(stale)).toBe('ESTALE');
  expect(errorMessage(stale)).toBe('ESTALE: ESTALE, fstat');
  for (const [number, name] of [
    [37, 'ENOLCK'],
    [122, 'EDQUOT'],
  ] as const) {
    expect(errorCode(Object.assign(new Error(), { code: `Unknown system error -${number}` }))).toBe(name);
  }
});
