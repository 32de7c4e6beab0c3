import { expect, test } from 'vitest';
import { Attempts } from '../../../src/feeder/attempts.ts';
import type { ClaimedJob } from '../../../src/job/job.ts';
import { holdingOf } from '../../../src/job/placement/holding.ts';

const NO_REQUESTS = { cpus: null, memory: null, gpus: null, needs: null, devices: null };

function claimedJob(jid: number, requests: Partial<ClaimedJob> = {}): ClaimedJob {
  return { jid, claim: 1, retries: null, ...NO_REQUESTS, ...requests } as ClaimedJob;
}

/** Attempts at the runner with these numbers of cpus: those that have started, and those that are unconfirmed. */
function withAttempts(started: readonly number[], unconfirmed: readonly number[]): Attempts {
  const attempts = new Attempts();
  for (const [index, cpus] of [...started, ...unconfirmed].entries()) {
    attempts.send({ jid: index + 1, claim: 1, holding: holdingOf({ ...NO_REQUESTS, cpus }) });
  }
  for (const index of started.keys()) attempts.confirm({ jid: index + 1, claim: 1 });
  return attempts;
}

test.each([
  ['all cpus are taken', [1, 1], [1, 1, 1], [3, 4, 5]],
  ['one attempt has a cpu but waits for its directory', [1], [1, 1, 1], [3, 4]],
  ['all attempts wait for their directories', [], [1, 1], []],
  ['more attempts run than there are cpus', [1, 1, 1, 1], [1], [5]],
  ['one of two cpus is free, and the next attempt needs both', [1], [2, 1], [2, 3]],
])('the attempts ahead of two cpus are those that have none: %s', (_, started, unconfirmed, ahead) => {
  expect(withAttempts(started, unconfirmed).unconfirmedAhead(2)).toEqual(ahead.map((jid) => ({ jid, claim: 1 })));
});

test('an attempt whose directory hangs frees its cpus if they are free at the runner, and keeps what else it holds', () => {
  const attempts = withAttempts([2], [2]);
  expect(attempts.setAside({ jid: 2, claim: 1 }, 3)).toBe(false);
  expect(attempts.setAside({ jid: 2, claim: 1 }, 4)).toBe(true);
  expect(attempts.runningCpus).toBe(2);
  expect(attempts.holdings.map(({ cpus }) => cpus)).toEqual([2, 0]);
});

test('the next claimed job is sent with its GPUs, which it holds until its end', () => {
  const attempts = new Attempts();
  attempts.claimed.push(claimedJob(1, { gpus: 2, memory: 1024, needs: 'licence=1' }), claimedJob(2));
  expect(attempts.holdings).toMatchObject([{ gpus: 2, devices: [], memory: 1024 }, { cpus: 1 }]);
  expect(attempts.sendNext(['a', 'b'])).toMatchObject({ jid: 1, devices: 'a,b' });
  expect(attempts.next(() => undefined)?.jid).toBe(2);
  expect(attempts.holdings[0]).toEqual({
    cpus: 1,
    memory: 1024,
    gpus: 2,
    devices: ['a', 'b'],
    resources: { licence: 1 },
  });
  attempts.end({ jid: 1, claim: 1, exit_status: 0 } as Parameters<Attempts['end']>[0]);
  expect(attempts.ends).toMatchObject([{ jid: 1, devices: 'a,b' }]);
  expect(attempts.holdings).toMatchObject([{ cpus: 1, devices: [] }]);
});

test('a claimed job waits while an earlier attempt of it runs here, and holds what it requests', () => {
  const attempts = new Attempts();
  attempts.add({ jid: 1, claim: 1, holding: holdingOf({ ...NO_REQUESTS, cpus: 2 }) });
  attempts.claimed.push({ ...claimedJob(1, { cpus: 2 }), claim: 2 }, claimedJob(2));
  const blocked: number[] = [];
  expect(attempts.next(({ claim }) => blocked.push(claim))?.jid).toBe(2);
  expect(blocked).toEqual([1]);
  expect(attempts.holdings.map(({ cpus }) => cpus)).toEqual([2, 1, 2]);
  attempts.remove({ jid: 1, claim: 1 });
  expect(attempts.next(() => undefined)).toMatchObject({ jid: 1, claim: 2 });
});
