import { expect, test } from 'vitest';
import { errorCode } from '../../../src/job/errors.ts';

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
