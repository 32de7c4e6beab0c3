import { type DependencyEnd, type DependencyKind, isMet, unmetReason } from '../../job/placement/dependencies.ts';
import { JOB_STATES } from '../../job/states.ts';
import { nextState } from '../../job/transitions.ts';
import type { Connection, Row } from '../connection.ts';
import { CLEAR_CLAIM } from '../job-columns.ts';
import { decideGate, type GateDecision } from './gates.ts';

const IS_UNDECIDED = `SELECT EXISTS (SELECT 1 FROM decisions)
  OR EXISTS (SELECT 1 FROM gates INDEXED BY gates_decided WHERE decision IS NOT NULL) AS found`;
const NEXT_END = 'SELECT jid, outcome, gate FROM decisions ORDER BY jid LIMIT 1';
const NOTE_PROGRESS = 'UPDATE decisions SET gate = :gate WHERE jid = :jid';
const REMOVE_END = 'DELETE FROM decisions WHERE jid = ?';
const NEEDS_OF = `SELECT needs.gate, kind, died_of, is_final FROM needs CROSS JOIN gates USING (gate)
  WHERE needs.jid = :jid AND needs.gate >= :from ORDER BY needs.gate LIMIT :limit`;
const REMOVE_NEED = 'DELETE FROM needs WHERE jid = :jid AND gate = :gate AND kind = :kind';
const OPEN_GATE = `UPDATE gates SET decision = 'open'
  WHERE gate = :gate AND died_of IS NULL AND NOT EXISTS (SELECT 1 FROM needs WHERE needs.gate = :gate)`;
const CLOSE_GATE = `UPDATE gates SET died_of = :jid, reason = :reason, decision = 'dead'
  WHERE gate = :gate AND died_of IS NULL`;
const NEXT_GATE = `SELECT gate, died_of, reason, decision FROM gates INDEXED BY gates_decided
  WHERE decision IS NOT NULL ORDER BY gate LIMIT 1`;
const GATE = 'SELECT gate, died_of, reason, decision FROM gates WHERE gate = ?';
const FORGET = 'UPDATE gates SET decision = NULL WHERE gate = ?';

const EVENT = { kind: 'dependency failed', reason: '' } as const;
/** The states in which a job can die of a dependency, and what it becomes. */
const CAN_DIE = JOB_STATES.filter((state) => nextState({ state, restartable: false }, EVENT) !== undefined);
const DEAD = nextState({ state: 'pending', restartable: false }, EVENT)?.state;
const RESTORED = nextState(
  { state: 'dead', restartable: false, hasDiedOf: true },
  { kind: 'dependency restored' },
)?.state;

const ofGate = (condition: string): string =>
  `SELECT jid FROM jobs INDEXED BY jobs_gate WHERE gate = :gate AND ${condition} LIMIT :limit`;
const BY_JID = 'WHERE jid IN (SELECT value FROM json_each(:jids))';

/** Finds jobs of a gate, and changes them. */
interface Step {
  readonly find: string;
  readonly change: string;
}

const STEPS: Readonly<Record<GateDecision, readonly Step[]>> = {
  dead: [
    {
      find: ofGate(`state IN (${CAN_DIE.map((state) => `'${state}'`).join(', ')})`),
      change: `UPDATE jobs SET state = '${DEAD}', finished = :now, reason = :reason, died_of = :died_of, due = NULL ${BY_JID}`,
    },
    {
      find: ofGate(`state = 'dead' AND died_of IS NOT NULL AND died_of <> :died_of`),
      change: `UPDATE jobs SET reason = :reason, died_of = :died_of ${BY_JID}`,
    },
  ],
  wait: [
    {
      find: ofGate(`state = 'dead' AND died_of IS NOT NULL`),
      change: `UPDATE jobs SET state = '${RESTORED}', ${CLEAR_CLAIM} ${BY_JID}`,
    },
  ],
  open: [
    {
      find: ofGate(`state = 'dead' AND died_of IS NOT NULL`),
      change: `UPDATE jobs SET state = '${RESTORED}', gate = NULL, ${CLEAR_CLAIM} ${BY_JID}`,
    },
    { find: ofGate('true'), change: `UPDATE jobs SET gate = NULL ${BY_JID}` },
  ],
};

/** How many jobs, and how many dependencies, are decided at most in one exchange. */
const MAX_CHANGES = 1_000;
/** A gate can need a job in each of the kinds. */
const MIN_NEEDS = 4;

/** Whether jobs ended whose dependents are not decided, or gates were decided whose jobs have not changed. */
export function hasUndecided(connection: Connection): boolean {
  return connection.get(IS_UNDECIDED)?.['found'] === 1;
}

/**
 * Decides the dependents of jobs that ended or were deleted, and theirs in turn, up to a number of jobs. Returns whether
 * there is more to decide.
 */
export function workOffDecisions(connection: Connection, now: string, limit = MAX_CHANGES): boolean {
  const workOff = new WorkOff(connection, now, limit);
  return hasUndecided(connection) && workOff.run();
}

/** Changes all jobs of a decided gate. Returns the number of jobs. */
export function applyDecision(connection: Connection, gate: number, now: string): number {
  return new WorkOff(connection, now, Number.MAX_SAFE_INTEGER).applyTo(gate);
}

/** One part of the work. */
class WorkOff {
  private jobs: number;
  private needs: number;

  constructor(
    private readonly connection: Connection,
    private readonly now: string,
    limit: number,
  ) {
    this.jobs = limit;
    this.needs = limit;
  }

  /** Processes ends before gates, so that a gate is applied only after all earlier ends are known. */
  run(): boolean {
    const { connection } = this;
    for (;;) {
      const end = connection.get(NEXT_END);
      const gate = end ?? connection.get(NEXT_GATE);
      if (gate === undefined) return false;
      if (this.jobs <= 0 || this.needs <= 0) return true;
      if (end === undefined) this.applyGate(gate);
      else this.decideNeeds(Number(end['jid']), end['outcome'] as DependencyEnd | 'undone', Number(end['gate']));
    }
  }

  applyTo(gate: number): number {
    const row = this.connection.get(GATE, [gate]);
    const before = this.jobs;
    if (row !== undefined) this.applyGate(row);
    return before - this.jobs;
  }

  /** Decides the gates that need a job, from one on. */
  private decideNeeds(jid: number, outcome: DependencyEnd | 'undone', from: number): void {
    const { connection } = this;
    const limit = Math.max(MIN_NEEDS, this.needs);
    const rows = connection.all(NEEDS_OF, { jid, from, limit });
    for (const row of rows) {
      if (outcome !== 'undone') this.decideNeed(jid, outcome, row);
      else if (row['died_of'] === jid && row['is_final'] === null) decideGate(connection, Number(row['gate']));
    }
    this.needs -= Math.max(1, rows.length);
    const gate = rows.at(-1)?.['gate'];
    if (rows.length < limit || gate === undefined) connection.run(REMOVE_END, [jid]);
    else connection.run(NOTE_PROGRESS, { jid, gate });
  }

  private decideNeed(jid: number, end: DependencyEnd, { gate = null, kind, died_of, is_final }: Row): void {
    const { connection } = this;
    const need = { jid, gate, kind: kind as DependencyKind };
    if (!isMet(need.kind, end)) {
      connection.run(CLOSE_GATE, { jid, gate, reason: unmetReason(need.kind, jid, end) });
      return;
    }
    // After a resubmit, the gate keeps the dependency for `resubmit --dependents`.
    if (died_of === jid && is_final !== null) return;
    connection.run(REMOVE_NEED, need);
    // The result is late if the gate is dead of it.
    if (died_of === jid) decideGate(connection, Number(gate));
    else connection.run(OPEN_GATE, { gate });
  }

  /** Changes jobs of a decided gate, as many as the limit permits. */
  private applyGate({ gate = null, decision, ...death }: Row): void {
    const before = this.jobs;
    for (const step of STEPS[decision as GateDecision]) {
      while (this.jobs > 0) {
        const limit = this.jobs;
        const { found, changed } = this.applyStep(step, { ...death, gate, limit });
        this.jobs -= changed;
        // Rows that cannot be changed keep the gate, so that no host claims them.
        if (found < limit || changed === 0) break;
      }
      if (this.jobs <= 0) return;
    }
    if (this.jobs === before) this.needs -= 1;
    this.connection.run(FORGET, [gate]);
  }

  private applyStep({ find, change }: Step, parameters: Row): { found: number; changed: number } {
    const { connection, now } = this;
    const jids = connection.all(find, parameters).map(({ jid }) => Number(jid));
    let changed = 0;
    const tryChange = (some: readonly number[], onFault: () => void): void =>
      connection.part(() => {
        const { changes } = connection.run(change, { ...parameters, now, jids: JSON.stringify(some) });
        changed += changes;
      }, onFault);
    const tryEach = (): void => {
      for (const jid of jids) tryChange([jid], () => undefined);
    };
    if (jids.length > 0) tryChange(jids, tryEach);
    return { found: jids.length, changed };
  }
}
