import { expect, test } from 'vitest';
import { errorCode } from '../../../src/job/errors.ts';

test.each([
  ['ENOSPC', 'ENOSPC'],
  // As Node 20 says it of a write above a quota.
  ['Unknown system error -122', 'EDQUOT'],
  [122, undefined],
])('the code of an error whose code is %s is %s', (code, expected) => {
  expect(errorCode(Object.assign(new Error('failed'), { code }))).toBe(expected);
});

test('what is no error of the system has no code', () => {
  expect([errorCode(new Error('failed')), errorCode({ code: 'EIO' }), errorCode(undefined)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
