import type { AttemptKey } from '../../job/job.ts';
import { devicesText, type Holding, holdingOf, parseDevices } from '../../job/placement/holding.ts';
import type { AttemptEnd, ClaimedJobRow } from '../../queue/exchange/exchange.ts';
import {
  attemptName,
  type ExitedAttempt,
  type ListedAttempt,
  type RunningAttempt,
} from '../../runner/protocol/messages.ts';

/** The current boot of the machine, and the current journal of its runner. */
export interface RunnerState {
  readonly boot: string;
  readonly journal: string;
  readonly now: string;
  /** When the queue was copied from another one; undefined if it was not. */
  readonly copied: string | undefined;
}

/** The attempts that the runner lists, and the subset whose results the database would accept. */
export interface RunnerList {
  readonly listed: readonly ListedAttempt[];
  readonly owned: readonly AttemptKey[];
}

/** A running attempt of an earlier feeder, and what it holds of this host. */
export interface HeldAttempt extends RunningAttempt {
  readonly holding: Holding;
}

export interface Reconciliation {
  /** Running, with a result that the database would accept: they continue. */
  readonly adopted: HeldAttempt[];
  /** Ended while no feeder was connected. */
  readonly ended: AttemptEnd[];
  /** Claimed under the current journal, which does not contain them: provably never started. */
  readonly neverStarted: AttemptKey[];
  /** Claimed under another journal: their ends can no longer be known. */
  readonly lost: AttemptEnd[];
  /** Running, although their job was claimed again. */
  readonly stale: HeldAttempt[];
}

/** Compares the jobs that the database lists as running on this host with the attempts that its runner lists. */
export function reconcile(
  rows: readonly ClaimedJobRow[],
  { listed, owned }: RunnerList,
  state: RunnerState,
): Reconciliation {
  const listedNames = new Set(listed.map(attemptName));
  const ownedNames = new Set(owned.map(attemptName));
  const unknown = rows.filter((row) => !listedNames.has(attemptName(row)));
  const rowsByName = new Map(rows.map((row) => [attemptName(row), row]));
  const running = listed
    .filter((attempt) => attempt.state === 'running')
    .map((attempt) => ({ ...attempt, holding: holdingOfListed(attempt, rowsByName.get(attemptName(attempt))) }));
  return {
    adopted: running.filter((attempt) => ownedNames.has(attemptName(attempt))),
    stale: running.filter((attempt) => !ownedNames.has(attemptName(attempt))),
    ended: listed.flatMap((attempt) => (attempt.state === 'exited' ? [endOf(attempt)] : [])),
    neverStarted: unknown.filter(({ journal }) => journal === state.journal),
    lost: unknown.filter(({ journal }) => journal !== state.journal).map((row) => lostEnd(row, state)),
  };
}

/**
 * What a running attempt holds. A runner of an earlier version does not list it, and a damaged journal has lost it; the row
 * of the job may still show it.
 */
function holdingOfListed({ held }: RunningAttempt, row: ClaimedJobRow | undefined): Holding {
  const { weight, memoryBytes, resources } = held;
  if (weight === undefined && row !== undefined) return holdingOf(row);
  const devices = [...new Set([...held.devices, ...parseDevices(row?.devices ?? null)])];
  return { cpus: weight ?? 1, memory: memoryBytes ?? 0, gpus: devices.length, devices, resources };
}

function endOf({ exit, held }: ExitedAttempt): AttemptEnd {
  return { ...exit, devices: devicesText(held.devices) };
}

function lostEnd({ jid, claim, pid, started, boot }: ClaimedJobRow, state: RunnerState): AttemptEnd {
  const reason = lossReason({ boot, started }, state);
  const unknown = { elapsed: null, exit_status: null, signal: null };
  return { jid, claim, pid, started, finished: state.now, ...unknown, reason, isLost: true };
}

function lossReason({ boot, started }: { boot: string; started: string }, state: RunnerState): string {
  if (state.copied !== undefined && started <= state.copied) return 'the queue was restored from a copy';
  return boot === state.boot ? "the runner's journal is gone, so the exit status is unknown" : 'the host was rebooted';
}
