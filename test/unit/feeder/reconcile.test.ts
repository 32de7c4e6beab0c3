import { expect, test } from 'vitest';
import { reconcile } from '../../../src/feeder/adoption/reconcile.ts';
import type { ClaimedJobRow } from '../../../src/queue/exchange/exchange.ts';
import type { KnownAttempt } from '../../../src/runner/protocol/protocol.ts';

const HERE = { boot: 'boot', journal: 'journal', now: '2026-01-01T00:00:00.000Z' };

const row = (jid: number, more: Partial<ClaimedJobRow> = {}): ClaimedJobRow =>
  ({ jid, attempt: 1, pid: null, started: HERE.now, boot: 'boot', journal: 'journal', ...more }) as ClaimedJobRow;

const running = (jid: number, attempt = 1): KnownAttempt => ({
  jid,
  attempt,
  state: 'running',
  pid: 9,
  started: HERE.now,
});

/** What the runner knows, all of which the database would take the result of. */
const ours = (...known: KnownAttempt[]) => ({ known, owned: known });

test('what the database and the runner both know goes on', () => {
  expect(reconcile([row(1)], ours(running(1)), HERE)).toMatchObject({
    adopted: [{ jid: 1 }],
    neverStarted: [],
    lost: [],
    stale: [],
  });
});

test('a claim that the journal does not know was never started', () => {
  expect(reconcile([row(1)], ours(), HERE)).toMatchObject({ neverStarted: [{ jid: 1 }], lost: [] });
});

test('a claim under another journal is lost, and the reason tells a reboot from a journal that is gone', () => {
  const rebooted = reconcile([row(1, { boot: 'before', journal: 'old' })], ours(), HERE);
  expect(rebooted.lost).toMatchObject([{ jid: 1, isLost: true, reason: 'the host was booted again' }]);
  expect(reconcile([row(1, { journal: 'old' })], ours(), HERE).lost[0]?.reason).toContain('journal is gone');
});

test('an attempt that runs though its job is another attempt’s is stale', () => {
  const found = reconcile([row(1, { attempt: 2 })], { known: [running(1, 1)], owned: [] }, HERE);
  expect(found).toMatchObject({ stale: [{ jid: 1, attempt: 1 }], neverStarted: [{ jid: 1, attempt: 2 }], adopted: [] });
});

test('an attempt that runs, of a job that was declared dead and that nobody took, goes on', () => {
  expect(reconcile([], ours(running(1)), HERE)).toMatchObject({ adopted: [{ jid: 1 }], stale: [] });
});
