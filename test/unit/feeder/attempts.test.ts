import { expect, test } from 'vitest';
import { Attempts } from '../../../src/feeder/attempts.ts';

function withAttempts(started: number, unconfirmed: number): Attempts {
  const attempts = new Attempts();
  for (let jid = 1; jid <= started + unconfirmed; jid++) attempts.send({ jid, claim: 1 });
  for (let jid = 1; jid <= started; jid++) attempts.confirm({ jid, claim: 1 });
  return attempts;
}

test.each([
  ['all slots are taken', 2, 3, [3, 4, 5]],
  ['one attempt has a slot but waits for its directory', 1, 3, [3, 4]],
  ['all attempts wait for their directories', 0, 2, []],
  ['more attempts run than there are slots', 4, 1, [5]],
])('the attempts ahead of two slots are those without a slot: %s', (_, started, unconfirmed, ahead) => {
  expect(withAttempts(started, unconfirmed).unconfirmedAhead(2)).toEqual(ahead.map((jid) => ({ jid, claim: 1 })));
});
