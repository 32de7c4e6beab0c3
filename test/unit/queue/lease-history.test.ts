import { expect, test } from 'vitest';
import { LeaseHistory } from '../../../src/queue/transaction/lease-history.ts';

test('a process that had the lease twice in a row guesses that nobody has had it since', () => {
  const history = new LeaseHistory();
  history.acquired(4);
  expect(history.guess).toBeUndefined();
  history.acquired(5);
  expect(history.guess).toBe(5);
});

test('after a wrong guess it looks first, as long as hosts take turns', () => {
  const history = new LeaseHistory();
  for (const generation of [4, 5, 6]) history.acquired(generation);
  history.missed();
  for (const generation of [8, 10, 12]) {
    history.acquired(generation);
    expect(history.guess).toBeUndefined();
  }
});
