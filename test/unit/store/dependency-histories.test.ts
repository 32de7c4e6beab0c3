import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DependencyKind } from '../../../src/job/placement/dependencies.ts';
import { DependencyModel, isReasonOf, type ModelJob, type Need } from '../../support/dependency-model.ts';
import { DependencyStore } from '../../support/dependency-store.ts';

const KINDS: readonly DependencyKind[] = ['ok', 'any', 'failed'];

/** Changes a queue and its model in the same way. The store may lag behind until its decisions are worked off. */
class History {
  readonly store = new DependencyStore();
  readonly model = new DependencyModel();

  /** Does one thing, which the numbers choose. */
  step(kind: number, pick: number, numbers: readonly number[]): void {
    const actions = [
      () => this.submit(numbers, pick),
      () => this.submit(numbers, pick),
      () => this.claim(),
      () => this.claim(),
      () => this.end(this.choose(pick, isRunning), pick % 3 > 0),
      () => this.die(this.choose(pick, isRunning), true),
      () => this.die(this.choose(pick, isWaiting), false),
      () => this.delete(this.choose(pick, (job) => !isRunning(job))),
      () =>
        this.reportLate(
          this.choose(pick, ({ isLost }) => isLost),
          pick,
        ),
      () => this.resubmit(numbers, pick % 2 === 0),
      () => this.update(this.choose(pick, isWaiting), numbers),
      () => void this.store.workOff(1 + (pick % 3)),
    ];
    actions[kind % actions.length]?.();
  }

  private choose(pick: number, isEligible: (job: ModelJob) => boolean): number | undefined {
    const eligible = [...this.model.jobs.values()].filter(isEligible);
    return eligible[pick % Math.max(1, eligible.length)]?.jid;
  }

  private end(chosen: number | undefined, isOk: boolean): void {
    this.with(chosen, (jid) => {
      this.store.end(jid, isOk);
      this.model.end(jid, isOk);
    });
  }

  /** A running job is lost, or a waiting one is killed. */
  private die(chosen: number | undefined, isLost: boolean): void {
    this.with(chosen, (jid) => {
      if (isLost) this.store.lose(jid);
      else this.store.kill(jid);
      this.model.die(jid, isLost);
    });
  }

  private delete(chosen: number | undefined): void {
    this.with(chosen, (jid) => {
      this.store.delete(jid);
      this.model.delete(jid);
    });
  }

  private submit(numbers: readonly number[], pick: number): void {
    const { model, store } = this;
    const needs = this.needsBelow(Number.MAX_SAFE_INTEGER, numbers);
    const state = pick % 5 === 0 ? 'holding' : 'pending';
    const job = { after: textOf(needs), stage: state === 'holding' };
    for (const jid of store.submit(pick % 2 === 0 ? [job] : [job, job])) model.add(jid, needs, state);
  }

  private claim(): void {
    const jid = this.store.claim();
    if (jid !== undefined) this.model.get(jid).state = 'running';
  }

  private reportLate(jid: number | undefined, pick: number): void {
    const { model, store } = this;
    if (jid === undefined) return;
    this.finish();
    if (pick % 3 === 0) {
      store.release(jid);
      model.undo(jid);
    } else {
      store.end(jid, pick % 3 === 1);
      model.end(jid, pick % 3 === 1);
    }
  }

  private resubmit(numbers: readonly number[], withDependents: boolean): void {
    const { model, store } = this;
    this.finish();
    const ended = [...model.jobs.values()].filter(({ state }) => state === 'finished' || state === 'dead');
    const jids = ended
      .map(({ jid }) => jid)
      .filter((jid) => numbers.some((number) => number % ended.length === jid % ended.length));
    if (jids.length === 0) return;
    store.resubmit(jids, withDependents);
    model.resubmit(jids, withDependents);
  }

  private update(jid: number | undefined, numbers: readonly number[]): void {
    const { model, store } = this;
    if (jid === undefined) return;
    const needs = this.needsBelow(jid, numbers);
    this.with(jid, () => {
      store.update(jid, { after: textOf(needs) });
      model.setNeeds(jid, needs);
    });
  }

  /** Runs the work for a job. If the store has not decided it yet, it does so first. */
  private with(jid: number | undefined, work: (jid: number) => void): void {
    if (jid === undefined) return;
    const row = this.store.row(jid);
    const job = this.model.get(jid);
    if (row?.['state'] !== job.state || (row['gate'] !== null) !== job.isGated) this.finish();
    work(jid);
  }

  private needsBelow(below: number, numbers: readonly number[]): Need[] {
    const jids = [...this.model.jobs.keys()].filter((jid) => jid < below).slice(-6);
    const needs = numbers.flatMap((number): Need[] => {
      const [jid, kind] = [jids[number % Math.max(1, jids.length)], KINDS[number % 4 === 3 ? 0 : number % 4]];
      return jid === undefined || kind === undefined ? [] : [{ jid, kind }];
    });
    // A job whose state the store does not know yet would be decided by another one first.
    for (const { jid } of needs) this.with(jid, () => undefined);
    return needs;
  }

  /** No host claims a job whose dependencies are not met. */
  checkClaimable(): void {
    const ready = this.store.all("SELECT jid FROM jobs WHERE state = 'pending' AND gate IS NULL");
    for (const { jid } of ready)
      expect(this.model.get(Number(jid))).toMatchObject({ state: 'pending', isGated: false });
  }

  /** Works everything off, in small parts, and compares the jobs. */
  finish(): void {
    const { model, store } = this;
    for (let parts = 0; store.workOff(2); parts++) expect(parts).toBeLessThan(10_000);
    const rows = store.all('SELECT jid, state, gate IS NOT NULL AS is_gated, died_of, reason FROM jobs ORDER BY jid');
    const jobs = [...model.jobs.values()];
    expect(rows.map(({ jid, state, is_gated }) => ({ jid, state, isGated: is_gated === 1 }))).toEqual(
      jobs.map(({ jid, state, isGated }) => ({ jid, state, isGated })),
    );
    for (const row of store.all(
      'SELECT jid, gates.died_of FROM jobs JOIN gates USING (gate) WHERE gates.died_of NOT NULL',
    )) {
      expect([row, model.mayDieOf(model.get(Number(row['jid'])), Number(row['died_of']))]).toEqual([row, true]);
    }
    for (const [index, job] of jobs.entries()) this.checkDeath(job, rows[index] ?? {});
    const empty = `SELECT gate FROM gates WHERE decision NOT NULL OR NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.gate = gates.gate)
      OR NOT EXISTS (SELECT 1 FROM needs WHERE needs.gate = gates.gate)`;
    expect(store.all(empty)).toEqual([]);
  }

  private checkDeath(job: ModelJob, { died_of, reason }: Record<string, unknown>): void {
    const { failedNeed, hasDied, jid } = job;
    expect([jid, died_of]).toEqual([jid, hasDied ? failedNeed?.jid : null]);
    if (hasDied && failedNeed !== undefined)
      expect([jid, reason, isReasonOf(failedNeed, reason)]).toEqual([jid, reason, true]);
  }
}

const isRunning = ({ state }: ModelJob): boolean => state === 'running';
const isWaiting = ({ state }: ModelJob): boolean => state === 'pending' || state === 'holding';

function textOf(needs: readonly Need[]): string | null {
  return needs.length === 0 ? null : needs.map(({ jid, kind }) => (kind === 'ok' ? jid : `${kind}:${jid}`)).join(',');
}

test('dependents are decided in parts as a model decides them at once', () => {
  const number = fc.nat(1_000);
  const steps = fc.array(fc.tuple(fc.nat(11), number, fc.array(number, { maxLength: 3 })), {
    minLength: 10,
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (history) => {
      const run = new History();
      try {
        for (const [kind, pick, numbers] of history) {
          run.step(kind, pick, numbers);
          run.checkClaimable();
        }
        run.finish();
      } finally {
        run.store.close();
      }
    }),
    { numRuns: Number(process.env['RQ_RUNS'] ?? 300) },
  );
});
