import { describe, expect, test } from 'vitest';
import { exchange, search } from '../../../src/queue/exchange/exchange.ts';
import { declareLost, readOtherHostsAttempts } from '../../../src/queue/exchange/lost-hosts.ts';
import { executeSql } from '../../../src/queue/jobs/execute.ts';
import { submitJobs } from '../../../src/queue/jobs/submit.ts';
import { drainHosts, undrainHosts } from '../../../src/queue/nodes/drain.ts';
import { configureQueue } from '../../../src/queue/settings.ts';
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

describe('an exchange that knows earlier wishes of users', () => {
  const none = { starts: [], ends: [], releases: [], mayRun: () => true };
  const claimant = { host: 'h1', boot: 'b', journal: 'j' };

  test('keeps to a limit that was set since, in the same transaction', async () => {
    const queue = await newQueue();
    await submitJobs(queue, Array(5).fill(submission('true')));
    const first = await exchange(queue, { ...none, claimant, room: roomFor(1) });
    const known = first.control;
    expect([first.claimed.length, known?.rules]).toEqual([1, { maxPerUser: null, isFair: false, reserveAfterS: 600 }]);
    expect((await exchange(queue, { ...none, claimant, known, room: roomFor(0) })).control).toBeUndefined();

    await configureQueue(queue, new Map([['max_per_user', 2]]));
    const second = await exchange(queue, { ...none, claimant, known, room: roomFor(8) });
    expect(second.claimed).toHaveLength(1);
    expect(second.control?.rules).toEqual({ maxPerUser: 2, isFair: false, reserveAfterS: 600 });
    await configureQueue(queue, new Map([['max_per_user', null]]));
    const third = await exchange(queue, { ...none, claimant, known: second.control, room: roomFor(8) });
    expect(third.claimed).toHaveLength(3);
    queue.close();
  });

  test('claims nothing on a host that was drained since, and a search finds nothing for it', async () => {
    const queue = await newQueue();
    await submitJobs(queue, [submission('true'), submission('true')]);
    const { control } = await exchange(queue, { ...none, claimant, room: roomFor(0) });
    const seeker = { host: 'h1', mayRun: () => true, serverNow: () => queue.clock.now(), room: roomFor(1) };
    expect((await search(queue, { ...seeker, known: control })).next).toBeUndefined();

    await drainHosts(queue, ['h1'], 'new disk');
    expect((await search(queue, { ...seeker, known: control })).next).toBeDefined();
    const drained = await exchange(queue, { ...none, claimant, known: control, room: roomFor(8) });
    expect(drained.claimed).toEqual([]);
    expect(drained.control?.drain).toMatchObject({ host: 'h1', reason: 'new disk' });
    const other = await exchange(queue, { ...none, claimant: { ...claimant, host: 'h2' }, room: roomFor(1) });
    expect(other.claimed).toMatchObject([{ jid: 1 }]);

    await undrainHosts(queue, ['h1']);
    const again = await exchange(queue, { ...none, claimant, known: drained.control, room: roomFor(8) });
    expect(again.claimed).toMatchObject([{ jid: 2 }]);
    queue.close();
  });

  test('reads them again after SQL of a user has changed a setting', async () => {
    const queue = await newQueue();
    await submitJobs(queue, [submission('true'), submission('true')]);
    const { control } = await exchange(queue, { ...none, claimant, room: roomFor(0) });
    await executeSql(queue, "INSERT INTO attributes VALUES ('max_per_user', '1')");
    const { claimed } = await exchange(queue, { ...none, claimant, known: control, room: roomFor(8) });
    expect(claimed).toHaveLength(1);
    await executeSql(queue, 'SELECT * FROM attributes');
    queue.close();
  });
});
