import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { delaySeconds, dueFault, givenDue } from '../../../src/job/placement/due-time.ts';

const zone = process.env['TZ'];

beforeEach(() => {
  process.env['TZ'] = 'Europe/Berlin';
});

afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

describe('a due time', () => {
  test.each([
    ['2026-12-01 22:00', '2026-12-01T21:00:00.000Z'],
    ['2026-07-01 22:00:30', '2026-07-01T20:00:30.000Z'],
    ['2026-12-01', '2026-11-30T23:00:00.000Z'],
    ['2026-12-01T22:00:00+09:00', '2026-12-01T13:00:00.000Z'],
    ['2026-12-01T22:00:00.250Z', '2026-12-01T22:00:00.250Z'],
    ['1999-01-01 00:00', '1998-12-31T23:00:00.000Z'],
  ])('%s is %s', (text, time) => {
    expect(givenDue(text)).toBe(time);
    expect(dueFault(givenDue(text))).toBeUndefined();
  });

  test.each([
    ['+90', 90],
    ['+2h', 7200],
    ['+1d1h30m', 91_800],
    ['+0s', 0],
    ['+0.5s', 0.5],
  ])('%s is a delay of %d seconds, which stays text', (text, seconds) => {
    expect(givenDue(text)).toBe(text);
    expect(delaySeconds(text)).toBe(seconds);
    expect(dueFault(text)).toBeUndefined();
  });

  test.each([
    ['soon', /^must be a time, such as '2026-12-01 22:00', or a delay, such as \+2h, not "soon"$/],
    ['2h', /not "2h"$/],
    ['-2h', /not "-2h"$/],
    ['2026-02-30', /not "2026-02-30"$/],
    ['2026-12-01 25:00', /not "2026-12-01 25:00"$/],
    ['', /not ""$/],
    [90, /not 90$/],
    ['+', /must be a delay of at most/],
    ['+2 h', /must be a delay of at most/],
    ['+4000d', /must be a delay of at most 3660d/],
    ['2026-10-25 02:30', /^"2026-10-25 02:30" occurs twice or never in the local time zone/],
    ['2026-03-29 02:30', /occurs twice or never/],
  ])('cannot be %j', (value, message) => {
    expect(dueFault(givenDue(value))).toMatch(message);
  });
});
