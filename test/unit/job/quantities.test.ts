import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationText, parseDuration } from '../../../src/job/quantities/duration.ts';
import { exactSizeText, parseSize, roundedSizeText } from '../../../src/job/quantities/size.ts';
import { parseWarning } from '../../../src/job/quantities/warning.ts';

test.each([
  ['90', 90],
  ['30s', 30],
  ['5m', 300],
  ['2h', 7200],
  ['1d', 86_400],
  ['1h30m', 5400],
  ['1d2h3m4s', 93_784],
  ['0', 0],
])('the duration %s is %d seconds', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each(['', 'h', '2 h', '-5', '1.5h', '30m1h', '1h30', '2H', '1h1h', '0x10', '1e3', '１', '5m\n'])(
  '%j is not a duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('a duration is printed as a text that is read as the same duration', () => {
  fc.assert(fc.property(fc.nat(), (seconds) => parseDuration(durationText(seconds)) === seconds));
  expect([7200, 90, 5400, 0.5, 0, 86_401].map(durationText)).toEqual(['2h', '1m30s', '1h30m', '0.5s', '0s', '1d1s']);
});

test.each([
  ['1048576', 1_048_576],
  ['4K', 4096],
  ['512M', 536_870_912],
  ['4G', 4_294_967_296],
  ['4g', 4_294_967_296],
  ['2T', 2_199_023_255_552],
])('the size %s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', 'M', '4 G', '4GB', '1.5G', '-1', '4P', '1e3', '4G\n'])('%j is not a size', (text) => {
  expect(parseSize(text)).toBeUndefined();
});

test('a limit is printed exactly, and a usage with one decimal', () => {
  fc.assert(fc.property(fc.nat({ max: 2 ** 50 }), (bytes) => parseSize(exactSizeText(bytes)) === bytes));
  expect([2 ** 32, 1536 * 2 ** 20, 1000].map(exactSizeText)).toEqual(['4G', '1536M', '1000']);
  expect([4.3 * 2 ** 30, 2 ** 20, 1000, 0, 2 ** 62].map(roundedSizeText)).toEqual([
    '4.3G',
    '1.0M',
    '1000',
    '0',
    '4194304.0T',
  ]);
});

test.each([
  ['USR2@60s', 'SIGUSR2', 60],
  ['sigusr1@5m', 'SIGUSR1', 300],
  ['TERM@90', 'SIGTERM', 90],
])('the warning %s is %s %d seconds before the limit', (text, signal, beforeS) => {
  expect(parseWarning(text)).toEqual({ signal, beforeS });
});

test.each(['', 'USR2', '@60s', 'USR2@', 'USR2@0', 'KILL@60s', 'STOP@60s', 'USR3@60s', 'USR2@60s@60s', 'toString@5'])(
  '%j is not a warning',
  (text) => {
    expect(parseWarning(text)).toBeUndefined();
  },
);
