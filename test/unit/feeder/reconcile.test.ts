import { expect, test } from 'vitest';
import { reconcile } from '../../../src/feeder/adoption/reconcile.ts';
import type { ClaimedJobRow } from '../../../src/queue/exchange/exchange.ts';
import type { ListedAttempt } from '../../../src/runner/protocol/messages.ts';

const STATE = { boot: 'boot', journal: 'journal', now: '2026-01-01T00:00:00.000Z', copied: undefined };

const row = (jid: number, more: Partial<ClaimedJobRow> = {}): ClaimedJobRow =>
  ({ jid, claim: 1, pid: null, started: STATE.now, boot: 'boot', journal: 'journal', ...more }) as ClaimedJobRow;

const running = (jid: number, claim = 1): ListedAttempt => ({
  jid,
  claim,
  state: 'running',
  pid: 9,
  started: STATE.now,
  isPaused: false,
});

/** A list of the runner, all of whose results the database would accept. */
const owned = (...listed: ListedAttempt[]) => ({ listed, owned: listed });

test('an attempt that both the database and the runner list is adopted', () => {
  expect(reconcile([row(1)], owned(running(1)), STATE)).toMatchObject({
    adopted: [{ jid: 1 }],
    neverStarted: [],
    lost: [],
    stale: [],
  });
});

test('a claim that is not in the journal was never started', () => {
  expect(reconcile([row(1)], owned(), STATE)).toMatchObject({ neverStarted: [{ jid: 1 }], lost: [] });
});

test('a claim under another journal is lost, and its reason distinguishes a reboot from a missing journal', () => {
  const rebooted = reconcile([row(1, { boot: 'before', journal: 'old' })], owned(), STATE);
  expect(rebooted.lost).toMatchObject([{ jid: 1, isLost: true, reason: 'the host was rebooted' }]);
  expect(reconcile([row(1, { journal: 'old' })], owned(), STATE).lost[0]?.reason).toContain('journal is gone');
});

test('a running attempt whose job was claimed again is stale', () => {
  const found = reconcile([row(1, { claim: 2 })], { listed: [running(1, 1)], owned: [] }, STATE);
  expect(found).toMatchObject({ stale: [{ jid: 1, claim: 1 }], neverStarted: [{ jid: 1, claim: 2 }], adopted: [] });
});

test('a running attempt of a dead job that was not claimed again is adopted', () => {
  expect(reconcile([], owned(running(1)), STATE)).toMatchObject({ adopted: [{ jid: 1 }], stale: [] });
});
