import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JOB_STATES, type JobState } from '../../../src/job/job.ts';
import { type JobEvent, nextState } from '../../../src/job/transitions.ts';
import { releaseJob, reportEnd, reportLost, reportStart } from '../../../src/store/attempts.ts';
import { resubmitJob, updateJob } from '../../../src/store/changes.ts';
import { claimJobs } from '../../../src/store/claims.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { findJob } from '../../../src/store/selections.ts';
import { insertJob } from '../../../src/store/submissions.ts';
import { memoryDatabase } from '../../support/old-queue.ts';
import { submission } from '../../support/queue.ts';

const SEEN = { kind: 'end', reason: null, isLost: false } as const;
const KILLED = { kind: 'end', reason: 'killed by ann on n1', isLost: true } as const;
const UNSTARTABLE = { kind: 'end', reason: 'there is no directory', isLost: false } as const;
const NOW = '2026-01-01T00:00:00.000Z';

/** The next state of a job for each event and state; `-` if the event does not apply. */
const TABLE: readonly (readonly [string, JobEvent, boolean, Readonly<Record<JobState, string>>])[] = [
  ['a claim', { kind: 'claim' }, false, row('running begins', '-', '-', '-', '-')],
  ['an end that was seen', SEEN, false, row('-', '-', 'finished ends', 'finished stays', 'finished ends')],
  [
    'an end that was seen of a restartable job',
    SEEN,
    true,
    row('-', '-', 'finished ends', 'finished stays', 'finished ends'),
  ],
  ['a failed start', UNSTARTABLE, true, row('-', '-', 'dead ends', 'finished stays', 'dead ends')],
  ['a forced end', KILLED, false, row('-', '-', 'dead ends', 'finished stays', 'dead ends')],
  [
    'a forced end of a restartable job',
    KILLED,
    true,
    row('-', '-', 'pending becomes earlier', '-', 'pending becomes earlier'),
  ],
  ['the loss of the host', { kind: 'host lost' }, false, row('-', '-', 'dead ends', '-', '-')],
  [
    'the loss of the host of a restartable job',
    { kind: 'host lost' },
    true,
    row('-', '-', 'pending becomes earlier', '-', '-'),
  ],
  ['a release', { kind: 'release' }, false, row('-', '-', 'pending never began', '-', 'pending never began')],
  ['a resubmit', { kind: 'resubmit' }, false, row('-', '-', '-', 'pending becomes earlier', 'pending becomes earlier')],
  [
    'a staged resubmit',
    { kind: 'resubmit', state: 'holding' },
    false,
    row('-', '-', '-', 'holding becomes earlier', 'holding becomes earlier'),
  ],
  ['an update', { kind: 'update' }, false, row('pending stays', 'holding stays', '-', '-', '-')],
  [
    'an update of the state',
    { kind: 'update', state: 'pending' },
    false,
    row('pending stays', 'pending stays', '-', '-', '-'),
  ],
];

function row(
  pending: string,
  holding: string,
  running: string,
  finished: string,
  dead: string,
): Record<JobState, string> {
  return { pending, holding, running, finished, dead };
}

describe.each(TABLE)('%s', (_, event, restartable, expected) => {
  test.each(JOB_STATES)('of a %s job', (state) => {
    const next = nextState({ state, restartable }, event);
    expect(next === undefined ? '-' : `${next.state} ${next.attempt}`).toBe(expected[state]);
  });
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
      claimJobs(connection, { host: 'h', boot: 'b', journal: 'j', now: NOW }, () => true, 1);
      reportStart(connection, 'h', { jid: 1, claim: claim + 1, pid: 4, started: NOW });
      return;
    case 'end': {
      const exit_status = event.reason === null ? 0 : null;
      reportEnd(connection, 'h', {
        ...key,
        ...times,
        exit_status,
        signal: null,
        reason: event.reason,
        isLost: event.isLost,
      });
      return;
    }
    case 'host lost':
      reportLost(connection, { ...key, pid: 4, started: NOW, runner: 'h' }, 'the host is gone', NOW);
      return;
    case 'release':
      releaseJob(connection, 'h', key, NOW);
      return;
    case 'resubmit':
    case 'update': {
      const next = nextState(job, event);
      if (next === undefined) return;
      const write = event.kind === 'update' ? updateJob : resubmitJob;
      write(connection, 1, { ...submission('true', { restartable: job.restartable }), state: next.state });
    }
  }
}

const EVENTS: readonly JobEvent[] = [...TABLE.map(([, event]) => event), { kind: 'update', state: 'holding' }];

test('every sequence of events leaves a job in the state of the table, which the constraints accept', () => {
  const property = fc.property(
    fc.boolean(),
    fc.array(fc.constantFrom(...EVENTS), { maxLength: 20 }),
    (restartable, events) => {
      const connection = memoryDatabase();
      connection.migrate();
      insertJob(connection, 1, submission('true', { restartable }), { submitted: NOW, submitter: 's', owner: 'o' });
      let state: JobState = 'pending';
      let attempts = 0;
      for (const event of events) {
        const next = nextState({ state, restartable }, event);
        apply(connection, event);
        state = next?.state ?? state;
        if (next?.attempt === 'begins') attempts += 1;
        if (next?.attempt === 'never began') attempts -= 1;
        expect(findJob(connection, 1)).toMatchObject({ state, attempt: attempts });
      }
      // Each attempt has one row, of which the latest is the row of the job while it shows an attempt.
      const rows = connection.all('SELECT attempt FROM attempts ORDER BY attempt').map(({ attempt }) => attempt);
      expect(rows).toEqual(Array.from({ length: attempts }, (_, index) => index + 1));
      connection.close();
    },
  );
  fc.assert(property, { numRuns: 300 });
});
