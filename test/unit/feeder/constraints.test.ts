import { expect, test } from 'vitest';
import { mayRunOn } from '../../../src/feeder/constraints.ts';

test.each([
  ['n1', true],
  ['n1.lab.org', true],
  ['n2', false],
  ['n2,n1', true],
  ['n*', true],
  ['n?.lab.*', true],
  ['n[2-9]', false],
  ['N1', true],
  ['1', false],
])('the host n1.lab.org may run a job with the constraint %s: %s', (runners, may) => {
  expect(mayRunOn('n1.lab.org')(runners)).toBe(may);
});
