import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JOB_STATES, type JobState } from '../../../src/job/job.ts';
import { type JobEvent, nextState } from '../../../src/job/transitions.ts';
import { endStoppedTasks } from '../../../src/store/arrays.ts';
import { releaseJob, reportEnd, reportLost, reportStart } from '../../../src/store/attempts.ts';
import { resubmitJob, updateJob } from '../../../src/store/changes.ts';
import { claimJobs } from '../../../src/store/claim/claims.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { recordKill } from '../../../src/store/control/wishes.ts';
import { setGate } from '../../../src/store/dependencies/gates.ts';
import { workOffDecisions } from '../../../src/store/dependencies/work-off.ts';
import { findJob } from '../../../src/store/selections.ts';
import { memoryDatabase } from '../../support/old-queue.ts';
import { addJob, claimRequest, submission } from '../../support/queue.ts';

const FLAGS = { isLost: false, isStopped: false, isKilled: false } as const;
const END = { kind: 'end', exit_status: null, signal: null, reason: null, ...FLAGS } as const;
const SEEN = { ...END, exit_status: 0 };
const FAILED = { ...END, exit_status: 3 };
const STOPPED = { ...END, signal: 'SIGTERM', reason: 'killed by ann on n1', isStopped: true };
const LOST = { ...END, reason: 'the starter was killed', isLost: true };
const REFUSED = { ...END, reason: 'the command is too long' };
const WISH = { by: 'ann on n3', at: '2026-01-01T00:00:00.000Z', reason: 'wrong input', grace: 30 };
const KILL = { kind: 'kill', wish: WISH } as const;
const HOST_LOST = { kind: 'host lost', reason: 'the host is gone' } as const;
const ARRAY_STOPPED = { kind: 'array stopped', reason: 'array 1 stopped after 3 failures' } as const;
const NEED_FAILED = { kind: 'dependency failed', reason: 'needs 41, which failed' } as const;
const UNSTARTABLE = { kind: 'start failed', isFinal: false } as const;
const NOW = '2026-01-01T00:00:00.000Z';

/** `lost` is a job that is dead because it was lost. */
type Situation = JobState | 'lost';
const SITUATIONS: readonly Situation[] = [...JOB_STATES, 'lost'];

/** The next state of a job for each event and situation; `-` if the event does not apply. */
const TABLE: readonly (readonly [string, JobEvent, boolean, Readonly<Record<Situation, string>>])[] = [
  ['a claim', { kind: 'claim' }, false, row({ pending: 'running begins' })],
  ['an end that was seen', SEEN, false, ended('finished ends')],
  ['an end that was seen of a restartable job', SEEN, true, ended('finished ends')],
  ['a stop', STOPPED, false, ended('finished ends')],
  ['a failure', FAILED, true, ended('finished ends')],
  ['a start that the runner refused', REFUSED, true, ended('dead ends')],
  ['a kill', KILL, true, row({ pending: 'dead stays', holding: 'dead stays', running: 'running stays' })],
  ['a stop of a restartable job', STOPPED, true, ended('pending becomes earlier')],
  ['an end that was not seen', LOST, false, ended('dead ends')],
  ['an end of a restartable job that was not seen', LOST, true, open('pending becomes earlier')],
  ['the loss of the host', HOST_LOST, false, row({ running: 'dead ends' })],
  ['the loss of the host of a restartable job', HOST_LOST, true, row({ running: 'pending becomes earlier' })],
  ['a failed start', UNSTARTABLE, true, open('pending never began')],
  ['the last failed start', { ...UNSTARTABLE, isFinal: true }, true, open('dead ends')],
  ['the stop of its array', ARRAY_STOPPED, true, row({ pending: 'dead stays' })],
  ['a release', { kind: 'release' }, false, open('pending never began')],
  ['a dependency that failed', NEED_FAILED, false, row({ pending: 'dead stays', holding: 'dead stays' })],
  ['a dependency of which the job did not die', { kind: 'dependency restored' }, false, row({})],
  ['a resubmit', { kind: 'resubmit' }, false, after('pending becomes earlier')],
  ['a staged resubmit', { kind: 'resubmit', state: 'holding' }, false, after('holding becomes earlier')],
  ['an update', { kind: 'update' }, false, row({ pending: 'pending stays', holding: 'holding stays' })],
  [
    'an update of the state',
    { kind: 'update', state: 'pending' },
    false,
    row({ pending: 'pending stays', holding: 'pending stays' }),
  ],
];

function row(expected: Partial<Record<Situation, string>>): Record<Situation, string> {
  return { pending: '-', holding: '-', running: '-', finished: '-', dead: '-', lost: '-', ...expected };
}

/** An event that decides a running or lost job. */
function open(expected: string): Record<Situation, string> {
  return row({ running: expected, lost: expected });
}

/** As `open`, for an end, which may be reported twice. */
function ended(expected: string): Record<Situation, string> {
  return { ...open(expected), finished: 'finished stays', dead: 'dead stays' };
}

/** A request that requeues an ended job. */
function after(expected: string): Record<Situation, string> {
  return row({ finished: expected, dead: expected, lost: expected });
}

describe.each(TABLE)('%s', (_, event, restartable, expected) => {
  test.each(SITUATIONS)('of a %s job', (situation) => {
    const isLost = situation === 'lost';
    const next = nextState({ state: isLost ? 'dead' : situation, isLost, restartable }, event);
    expect(next === undefined ? '-' : `${next.state} ${next.attempt}`).toBe(expected[situation]);
  });
});

test('a job that died of a dependency waits again when the dependency is restored', () => {
  const event = { kind: 'dependency restored' } as const;
  const job = { restartable: false, hasDiedOf: true } as const;
  expect(nextState({ ...job, state: 'dead' }, event)).toEqual({ state: 'pending', attempt: 'stays' });
  expect(nextState({ state: 'pending', restartable: false }, NEED_FAILED)?.reason).toBe('needs 41, which failed');
});

test('the fifth loss makes a restartable job dead', () => {
  const job = { state: 'running', restartable: true } as const;
  const states = [0, 1, 2, 3, 4].map((losses) => nextState({ ...job, losses }, HOST_LOST));
  expect(states.map((next) => next?.state)).toEqual(['pending', 'pending', 'pending', 'pending', 'dead']);
  expect(states[4]).toMatchObject({ attempt: 'ends', reason: 'lost 5 times' });
  expect(nextState({ ...job, losses: 4 }, LOST)).toMatchObject({ state: 'dead', reason: 'lost 5 times' });
  // A stop is no loss.
  expect(nextState({ ...job, losses: 4 }, STOPPED)).toMatchObject({ state: 'pending' });
});

/** Applies the event to job 1 with the functions of the store. */
function apply(connection: Connection, event: JobEvent): void {
  const job = findJob(connection, 1);
  if (job === undefined) throw new Error('job 1 is gone');
  const claim = Number(connection.get('SELECT claim FROM jobs')?.['claim']);
  const key = { jid: 1, claim };
  const times = { pid: 5, started: NOW, finished: NOW, elapsed: 1 };
  switch (event.kind) {
    case 'claim':
      // After the time for which a host skips a job that it could not start.
      claimJobs(connection, { host: 'h', boot: 'b', journal: 'j', now: '2026-01-02T00:00:00.000Z' }, claimRequest(1));
      reportStart(connection, 'h', { jid: 1, claim: claim + 1, pid: 4, started: NOW });
      return;
    case 'end': {
      const { kind: _, ...end } = event;
      reportEnd(connection, 'h', { ...key, ...times, ...end }, CONTEXT);
      return;
    }
    case 'start failed': {
      const finished = event.isFinal ? '2026-01-01T01:00:00.000Z' : NOW;
      const end = {
        ...key,
        ...times,
        finished,
        exit_status: null,
        signal: null,
        reason: 'no such directory',
        isLost: false,
      };
      if (event.isFinal) connection.run('UPDATE jobs SET failed_starts = ?', [JSON.stringify(FAILED_TWICE)]);
      reportEnd(connection, 'h', { ...end, not_started: 'failed' }, CONTEXT);
      return;
    }
    case 'host lost':
      reportLost(connection, { ...key, pid: 4, started: NOW, runner: 'h' }, 'the host is gone', NOW);
      return;
    case 'release':
      releaseJob(connection, 'h', key, NOW);
      return;
    case 'array stopped':
      connection.run("INSERT INTO arrays (array, tasks, max_fails, stopped) VALUES (1, 1, 3, '2026')");
      connection.run('UPDATE jobs SET array = 1');
      endStoppedTasks(connection, NOW);
      connection.run('UPDATE jobs SET array = NULL');
      connection.run('DELETE FROM arrays');
      return;
    case 'kill': {
      const next = nextState(job, event);
      if (next !== undefined) recordKill(connection, 1, event.wish, next);
      return;
    }
    case 'dependency failed':
      if (nextState(job, event) === undefined) return;
      connection.run("INSERT INTO gates (gate, died_of, reason, decision) VALUES (1, 41, ?, 'dead')", [event.reason]);
      setGate(connection, 1, 1);
      workOffDecisions(connection, NOW);
      return;
    case 'dependency restored':
      connection.execute("UPDATE gates SET died_of = NULL, decision = 'open'");
      workOffDecisions(connection, NOW);
      return;
    case 'resubmit':
    case 'update': {
      const next = nextState(job, event);
      if (next === undefined) return;
      setGate(connection, 1, null);
      const write = event.kind === 'update' ? updateJob : resubmitJob;
      write(connection, 1, {
        ...submission('true', { restartable: job.restartable, retries: job.retries }),
        state: next.state,
      });
    }
  }
}

const CONTEXT = { hostsFor: () => ['h'], serverNow: NOW };
const FAILED_TWICE = { h: { count: 2, first: NOW, until: NOW, reason: 'no such directory' } };
const EVENTS: readonly JobEvent[] = [...TABLE.map(([, event]) => event), { kind: 'update', state: 'holding' }];

test('every sequence of events leaves a job in the state of the table, which the constraints accept', () => {
  const property = fc.property(
    fc.boolean(),
    fc.constantFrom(0, 2),
    fc.array(fc.constantFrom(...EVENTS), { maxLength: 20 }),
    (restartable, retries, events) => {
      const connection = memoryDatabase();
      connection.migrate();
      addJob(connection, submission('true', { restartable, retries }));
      const initial = { restartable, retries, losses: 0, tries: 0, isLost: false, kill: undefined };
      let subject: Parameters<typeof nextState>[0] & Omit<typeof initial, 'kill'> = { ...initial, state: 'pending' };
      let attempts = 0;
      for (const event of events) {
        const next = nextState(subject, event);
        connection.execute('BEGIN');
        apply(connection, event);
        connection.execute('COMMIT');
        const isLoss = event.kind === 'host lost' || (event.kind === 'end' && event.isLost);
        const died = subject.hasDiedOf === true;
        const isRequeued = event.kind === 'resubmit' && next !== undefined;
        subject = {
          restartable,
          retries,
          state: next?.state ?? subject.state,
          losses: isRequeued ? 0 : subject.losses + Number(next?.isLoss ?? 0),
          tries: isRequeued ? 0 : subject.tries + Number(next?.isRetry ?? 0),
          kill: isRequeued ? undefined : event.kind === 'kill' && next !== undefined ? event.wish : subject.kill,
          hasDiedOf: next?.state === 'dead' ? died || event.kind === 'dependency failed' : died && next === undefined,
          isLost: next === undefined || next.attempt === 'stays' ? subject.isLost : isLoss && next.state === 'dead',
        };
        if (next?.attempt === 'begins') attempts += 1;
        if (next?.attempt === 'never began') attempts -= 1;
        expect(findJob(connection, 1)).toMatchObject({ state: subject.state, attempt: attempts });
      }
      // Each attempt has one row, of which the latest is the row of the job while it shows an attempt.
      const rows = connection.all('SELECT attempt FROM attempts ORDER BY attempt').map(({ attempt }) => attempt);
      expect(rows).toEqual(Array.from({ length: attempts }, (_, index) => index + 1));
      connection.close();
    },
  );
  fc.assert(property, { numRuns: 300 });
});

describe('a job that is to be killed', () => {
  const job = { state: 'running', restartable: true, retries: 5, kill: WISH } as const;

  test.each([
    [
      'ends by a signal',
      { ...END, signal: 'SIGTERM', isKilled: true },
      'finished ends',
      'killed by ann on n3: wrong input',
    ],
    ['traps the signal and succeeds', { ...SEEN, isKilled: true }, 'finished ends', 'killed by ann on n3: wrong input'],
    ['fails', FAILED, 'finished ends', 'killed by ann on n3: wrong input'],
    ['has succeeded before the signal', SEEN, 'finished ends', undefined],
    ['was stopped as well', STOPPED, 'finished ends', 'killed by ann on n3: wrong input'],
    ['is lost', LOST, 'dead ends', 'killed by ann on n3: wrong input; the starter was killed'],
    ['is on a lost host', HOST_LOST, 'dead ends', 'killed by ann on n3: wrong input; the host is gone'],
    ['never began', { kind: 'release' }, 'dead never began', 'killed before it began, by ann on n3: wrong input'],
    ['could not start', UNSTARTABLE, 'dead never began', 'killed before it began, by ann on n3: wrong input'],
    [
      'could not start for the last time',
      { ...UNSTARTABLE, isFinal: true },
      'dead never began',
      'killed before it began, by ann on n3: wrong input',
    ],
  ] as const)('that %s is never started again', (_, event, expected, reason) => {
    const next = nextState(job, event);
    expect([`${next?.state} ${next?.attempt}`, next?.reason]).toEqual([expected, reason]);
  });
});

describe('a job with retries', () => {
  const job = { state: 'running', restartable: false, retries: 2, tries: 1, retryOn: null } as const;

  test.each([
    ['fails', job, FAILED, 'pending becomes earlier'],
    ['is ended by a signal', job, { ...END, signal: 'SIGSEGV' }, 'pending becomes earlier'],
    ['exceeds its time limit', job, { ...SEEN, reason: 'time limit of 2h', limit: 'time' }, 'pending becomes earlier'],
    ['fails and has no tries left', { ...job, tries: 2 }, FAILED, 'finished ends'],
    ['succeeds', job, SEEN, 'finished ends'],
    ['fails in another way', { ...job, retryOn: '1,64-78,SIGKILL' }, FAILED, 'finished ends'],
    ['fails in that way', { ...job, retryOn: '1-5' }, FAILED, 'pending becomes earlier'],
    ['is stopped', job, STOPPED, 'finished ends'],
    ['is lost', job, LOST, 'dead ends'],
  ] as const)('that %s', (_, subject, event, expected) => {
    const next = nextState(subject, event);
    expect(`${next?.state} ${next?.attempt}`).toBe(expected);
  });
});
