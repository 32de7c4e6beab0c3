import type { Connection } from '../connection.ts';
import { copyGate, decideGate, setGate } from './gates.ts';
import { applyDecision, workOffDecisions } from './work-off.ts';

const HAS_GATES = 'SELECT EXISTS (SELECT 1 FROM gates) AS found';
const GATE_OF = `SELECT jobs.gate, gates.died_of, has_dependents
  FROM jobs LEFT JOIN gates ON gates.gate = jobs.gate WHERE jid = ?`;
const GATES_DEAD_OF = `SELECT DISTINCT gate FROM needs CROSS JOIN gates USING (gate)
  WHERE needs.jid = :jid AND died_of = :jid ORDER BY gate`;
const MAKE_FINAL = 'UPDATE gates SET is_final = 1 WHERE gate = ?';
const DEAD_JOBS = `SELECT jid, array, has_dependents FROM jobs INDEXED BY jobs_gate
  WHERE gate = ? AND state = 'dead' AND died_of IS NOT NULL ORDER BY jid`;

/** A job that waits again for what it needs, and its array. */
export interface RevivedJob {
  readonly jid: number;
  readonly array: number | null;
}

interface RequeueOptions {
  readonly now: string;
  readonly refresh: () => void;
}

/** The gates of a transaction that requeues ended jobs. */
export class Requeue {
  /** The gates that requeued jobs joined, by the dead ones that they left. */
  private readonly joined = new Map<number, number | null>();
  private readonly parents: number[] = [];
  private readonly hasGates: boolean;

  /** Decides everything first: what the ends so far have decided stays decided. */
  constructor(
    private readonly connection: Connection,
    private readonly options: RequeueOptions,
  ) {
    while (workOffDecisions(connection, options.now)) options.refresh();
    this.hasGates = connection.get(HAS_GATES)?.['found'] === 1;
  }

  /**
   * Records a requeued job. If its gate is dead, it joins one that is decided by the present states of its dependencies,
   * unless it has new ones. Jobs must come by ascending jid.
   */
  add(jid: number, hasNewDependencies: boolean): void {
    if (!this.hasGates) return;
    const { gate, died_of, has_dependents } = this.connection.get(GATE_OF, [jid]) ?? {};
    if (has_dependents === 1) this.parents.push(jid);
    if (typeof gate !== 'number' || typeof died_of !== 'number' || hasNewDependencies) return;
    const joined = this.joined.get(gate);
    const other = joined === undefined ? copyGate(this.connection, gate) : joined;
    this.joined.set(gate, other);
    setGate(this.connection, jid, other);
  }

  /** From now on, only `reviveDependents` revives the jobs that died of the requeued ones. */
  leaveDependents(): void {
    for (const jid of this.parents) {
      for (const gate of this.gatesDeadOf(jid)) this.connection.run(MAKE_FINAL, [gate]);
    }
  }

  /** Revives the jobs that died of the requeued ones, and those that died of these. Returns them. */
  reviveDependents(): RevivedJob[] {
    const { connection, options, parents } = this;
    const revived: RevivedJob[] = [];
    for (let jid = parents.pop(); jid !== undefined; jid = parents.pop()) {
      for (const gate of this.gatesDeadOf(jid)) {
        const dead = connection.all(DEAD_JOBS, [gate]);
        const isRevived = decideGate(connection, gate) !== 'dead';
        applyDecision(connection, gate, options.now);
        if (!isRevived) continue;
        revived.push(...(dead as unknown as RevivedJob[]));
        parents.push(...dead.filter((row) => row['has_dependents'] === 1).map((row) => Number(row['jid'])));
      }
      options.refresh();
    }
    return revived;
  }

  private gatesDeadOf(jid: number): number[] {
    return this.connection.all(GATES_DEAD_OF, { jid }).map(({ gate }) => Number(gate));
  }
}
