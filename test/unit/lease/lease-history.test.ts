import { expect, test } from 'vitest';
import { LeaseHistory } from '../../../src/lease/lease-history.ts';

test('a process that held two generations in a row expects the next one', () => {
  const history = new LeaseHistory();
  history.acquired(4);
  expect(history.expected).toBeUndefined();
  history.acquired(5);
  expect(history.expected).toBe(5);
});

test('a process that shares the lease with others expects no generation', () => {
  const history = new LeaseHistory();
  for (const generation of [4, 5, 6]) history.acquired(generation);
  history.wasNotHighest();
  for (const generation of [8, 10, 12]) {
    history.acquired(generation);
    expect(history.expected).toBeUndefined();
  }
});
