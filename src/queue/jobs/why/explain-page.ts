import type { Job, JobState, WaitingJob } from '../../../job/job.ts';
import { courseSentences } from '../../../job/placement/why/course.ts';
import { explain } from '../../../job/placement/why/explain.ts';
import type { CourseFacts, HostVerdict, Parent } from '../../../job/placement/why/facts.ts';
import { readGates, readParents } from '../../../store/claim/gates.ts';
import { readArrays, readReservations, shapeOfRow, type WaitingRow } from '../../../store/claim/waiting-rows.ts';
import type { Connection } from '../../../store/connection.ts';
import type { HostStates } from '../../nodes/host-states.ts';
import { readClaimForecast } from './queue-facts.ts';

/** Why a job does not run, where it runs, or how it ended, in sentences. */
export interface JobExplanation {
  readonly jid: number;
  readonly state: JobState;
  readonly why: readonly string[];
  /** For a pending job: whether each host can run it. */
  readonly hosts: readonly HostVerdict[] | undefined;
}

/** Explains jobs. Reads what a claim reads, once for all of them. `now` is by the clock of this host. */
export function explainPage(
  connection: Connection,
  rows: readonly WaitingRow[],
  states: HostStates,
  now: string,
): JobExplanation[] {
  const waiting = rows.filter(({ job }) => isWaiting(job));
  const arrays = readArrays(
    connection,
    waiting.flatMap(({ job }) => job.array ?? []),
  );
  const { facts, turnOf } = readClaimForecast(connection, states, arrays, now);
  const gates = readGates(
    connection,
    waiting.flatMap(({ gate }) => gate ?? []),
  );
  const parents = readParents(
    connection,
    rows.flatMap(({ diedOf }) => diedOf ?? []),
  );
  const reservations = readReservations(connection);
  return rows.map((row): JobExplanation => {
    const { job, isValid, gate, failures, tries } = row;
    const { jid, state } = job;
    if (!isWaiting(job))
      return { jid, state, why: courseSentences(courseOf(job, row, parents), facts), hosts: undefined };
    const shape = shapeOfRow(connection, row, arrays);
    const { why, hosts } = explain(
      {
        job,
        shape,
        isValid,
        reservation: reservations.get(jid),
        gate: gate === null ? undefined : gates.get(gate),
        failures,
        tries,
        turnOn: (host) => turnOf(jid, shape, host),
      },
      facts,
    );
    return { jid, state, why, hosts: state === 'pending' ? hosts : undefined };
  });
}

/** The jobs of a queue with an older schema, from which a feeder of this version does not claim. */
export function explainOlder(directory: string, rows: readonly WaitingRow[], now: string): JobExplanation[] {
  const facts = { hosts: [], now };
  return rows.map((row): JobExplanation => {
    const { job } = row;
    const { jid, state } = job;
    const why = isWaiting(job)
      ? [
          `an older version of rq created the queue, and feeders of this version claim no job; run: rq ${directory} upgrade`,
        ]
      : courseSentences(courseOf(job, row, new Map()), facts);
    return { jid, state, why, hosts: undefined };
  });
}

function courseOf(
  job: CourseFacts['job'],
  { kill, diedOf, isLost }: WaitingRow,
  parents: ReadonlyMap<number, Parent>,
): CourseFacts {
  return { job, kill, diedOf: diedOf === null ? undefined : parents.get(diedOf), isLost };
}

function isWaiting(job: Job): job is WaitingJob {
  return job.state === 'pending' || job.state === 'holding';
}
