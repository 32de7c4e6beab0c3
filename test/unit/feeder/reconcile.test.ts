import { expect, test } from 'vitest';
import { reconcile } from '../../../src/feeder/adoption/reconcile.ts';
import type { ClaimedJobRow } from '../../../src/queue/exchange/exchange.ts';
import type { ListedAttempt, ListedHolding } from '../../../src/runner/protocol/messages.ts';

const STATE = { boot: 'boot', journal: 'journal', now: '2026-01-01T00:00:00.000Z', copied: undefined };

const row = (jid: number, more: Partial<ClaimedJobRow> = {}): ClaimedJobRow =>
  ({
    ...{ jid, claim: 1, pid: null, started: STATE.now, boot: 'boot', journal: 'journal' },
    ...{ cpus: null, memory: null, gpus: null, needs: null, devices: null, ...more },
  }) as ClaimedJobRow;

/** What a runner of an earlier version lists. */
const NOTHING: ListedHolding = { weight: undefined, memoryBytes: null, devices: [], resources: {} };

const running = (jid: number, claim = 1, held = NOTHING): ListedAttempt => ({
  jid,
  claim,
  state: 'running',
  pid: 9,
  started: STATE.now,
  isPaused: false,
  held,
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

const HELD: ListedHolding = { weight: 4, memoryBytes: 1024, devices: ['GPU-a'], resources: { licence: 2 } };
const HOLDING = { cpus: 4, memory: 1024, gpus: 1, devices: ['GPU-a'], resources: { licence: 2 } };

test('an attempt holds what the runner lists, also a stale one whose job has no row', () => {
  const { adopted, stale } = reconcile(
    [row(1, { cpus: 9 })],
    { listed: [running(1, 1, HELD), running(2, 1, HELD)], owned: [{ jid: 1, claim: 1 }] },
    STATE,
  );
  expect([adopted, stale]).toMatchObject([[{ jid: 1, holding: HOLDING }], [{ jid: 2, holding: HOLDING }]]);
});

test('an attempt of a runner of an earlier version holds what the row of its job shows, or else one cpu', () => {
  const rows = [row(1, { cpus: 4, memory: 1024, gpus: 1, needs: 'licence=2', devices: 'GPU-a' })];
  const { adopted, stale } = reconcile(
    rows,
    { listed: [running(1), running(2)], owned: [{ jid: 1, claim: 1 }] },
    STATE,
  );
  expect(adopted).toMatchObject([{ jid: 1, holding: HOLDING }]);
  expect(stale).toMatchObject([{ jid: 2, holding: { cpus: 1, memory: 0, gpus: 0, devices: [], resources: {} } }]);
});

test('an attempt that a damaged journal has lost keeps the GPUs that its row shows', () => {
  const recovered = running(1, 1, { ...NOTHING, weight: 1 });
  const { adopted } = reconcile([row(1, { gpus: 1, devices: 'GPU-a' })], owned(recovered), STATE);
  expect(adopted).toMatchObject([{ holding: { devices: ['GPU-a'], gpus: 1 } }]);
});
