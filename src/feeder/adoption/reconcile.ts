import type { AttemptKey } from '../../job/job.ts';
import type { AttemptEnd, ClaimedJobRow } from '../../queue/exchange/exchange.ts';
import type { KnownAttempt, RunningAttempt } from '../../runner/protocol/protocol.ts';
import { nameOf } from '../attempts.ts';

/** Where a feeder that starts finds itself: the machine's boot, and the journal that its runner keeps. */
export interface Here {
  readonly boot: string;
  readonly journal: string;
  readonly now: string;
}

/** What has to be done about the attempts that the database and the runner know of. */
export interface Reconciled {
  /** Running, and known to the runner: they go on. */
  readonly adopted: RunningAttempt[];
  /** Ended while nobody listened. */
  readonly ended: AttemptEnd[];
  /** Claimed under this journal, which does not know them: provably never started. */
  readonly neverStarted: AttemptKey[];
  /** Nobody can know any more what became of them. */
  readonly lost: AttemptEnd[];
  /** Running here, though their job is another attempt's by now. */
  readonly stale: RunningAttempt[];
}

/** What the runner knows of attempts, and those of them whose result the database would take. */
export interface Known {
  readonly known: readonly KnownAttempt[];
  readonly owned: readonly AttemptKey[];
}

/** Compares what the database says is running on this host with what its runner knows. */
export function reconcile(rows: readonly ClaimedJobRow[], { known, owned }: Known, here: Here): Reconciled {
  const byName = new Map(known.map((attempt) => [nameOf(attempt), attempt]));
  const ours = new Set(owned.map(nameOf));
  const unknown = rows.filter((row) => !byName.has(nameOf(row)));
  const running = known.filter((attempt) => attempt.state === 'running');
  return {
    adopted: running.filter((attempt) => ours.has(nameOf(attempt))),
    stale: running.filter((attempt) => !ours.has(nameOf(attempt))),
    ended: known.flatMap((attempt) => (attempt.state === 'exited' ? [attempt.exit] : [])),
    neverStarted: unknown.filter(({ journal }) => journal === here.journal),
    lost: unknown.filter(({ journal }) => journal !== here.journal).map((row) => lostEnd(row, here)),
  };
}

function lostEnd(row: ClaimedJobRow, { boot, now }: Here): AttemptEnd {
  const reason =
    row.boot === boot ? "the runner's journal is gone, so the exit status is unknown" : 'the host was booted again';
  return {
    jid: row.jid,
    attempt: row.attempt,
    pid: row.pid,
    started: row.started,
    finished: now,
    elapsed: null,
    exit_status: null,
    signal: null,
    reason,
    isLost: true,
  };
}
