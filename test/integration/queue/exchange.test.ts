import { expect, test } from 'vitest';
import { exchange } from '../../../src/queue/exchange/exchange.ts';
import { declareLost, readOtherHostsAttempts } from '../../../src/queue/exchange/lost-hosts.ts';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import { newQueue, roomFor, submission } from '../../support/queue.ts';

test('a job that was declared lost is pending again once its host reports that it never started', async () => {
  const queue = await newQueue();
  await submitJobs(queue, [submission('true')]);
  const none = { starts: [], ends: [], releases: [], mayRun: () => true };
  const by = { host: 'h1', boot: 'b', journal: 'j' };
  const { claimed } = await exchange(queue, { ...none, claimant: by, room: roomFor(1) });
  await declareLost(queue, (await readOtherHostsAttempts(queue, 'h2')).get('h1') ?? [], 'it is gone');
  const state = (): unknown => queue.connect('read').all('SELECT state, attempt, claim, reason FROM jobs');
  expect(state()).toEqual([{ state: 'dead', attempt: 1, claim: 1, reason: 'it is gone' }]);
  await exchange(queue, { ...none, claimant: { ...by, host: 'h2' }, releases: claimed, room: roomFor(0) });
  expect(state()).toMatchObject([{ state: 'dead' }]);
  await exchange(queue, { ...none, claimant: by, releases: claimed, room: roomFor(0) });
  expect(state()).toEqual([{ state: 'pending', attempt: 0, claim: 1, reason: null }]);
  const again = await exchange(queue, { ...none, claimant: { ...by, host: 'h2' }, room: roomFor(1) });
  expect(again.claimed).toMatchObject([{ jid: 1, claim: 2 }]);
  // A late report has no effect once another host has the job.
  await exchange(queue, { ...none, claimant: by, releases: claimed, room: roomFor(0) });
  expect(state()).toMatchObject([{ state: 'running', attempt: 1, claim: 2 }]);
  queue.close();
});
