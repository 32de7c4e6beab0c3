import type { AttemptKey, RunningJob } from '../job/job.ts';
import type { AttemptEnd, AttemptStart } from '../queue/exchange/exchange.ts';

export function nameOf({ jid, attempt }: AttemptKey): string {
  return `${jid}.${attempt}`;
}

/**
 * Every attempt that the feeder has, by where it is in its life: claimed in the database and not yet given to the
 * runner, running, or ended and not yet reported to the database.
 */
export class Attempts {
  readonly claimed: RunningJob[] = [];
  /** Claimed, while an earlier attempt of the same job still runs here: its host was taken for lost. */
  readonly waiting: RunningJob[] = [];
  readonly running = new Map<string, AttemptKey>();
  /** Those of the running that the runner has not said to have begun: they may wait there for a slot. */
  readonly given = new Map<string, AttemptKey>();
  starts: AttemptStart[] = [];
  ends: AttemptEnd[] = [];
  releases: AttemptKey[] = [];

  /** The next claimed job that may be started; one whose earlier attempt runs here is put aside, and `onEarlier` told. */
  next(onEarlier: (earlier: AttemptKey) => void): RunningJob | undefined {
    for (;;) {
      const job = this.claimed.shift();
      if (job === undefined) return undefined;
      const earlier = this.earlierOf(job);
      if (earlier === undefined) return job;
      this.waiting.push(job);
      onEarlier(earlier);
    }
  }

  /** The attempt is handed to the runner. */
  give(key: AttemptKey): void {
    this.given.set(nameOf(key), key);
    this.begin(key);
  }

  /** The runner has said what became of it. */
  answered(key: AttemptKey): void {
    this.given.delete(nameOf(key));
  }

  /** The attempt is with the runner. */
  begin(key: AttemptKey): void {
    this.running.set(nameOf(key), key);
  }

  began(start: AttemptStart): void {
    if (this.running.has(nameOf(start))) this.starts.push(start);
  }

  /** An attempt came to its end; its start need not be reported any more, since the end tells it. */
  end(end: AttemptEnd): void {
    this.drop(end);
    this.starts = this.starts.filter((start) => nameOf(start) !== nameOf(end));
    this.ends.push(end);
  }

  /** The runner did not start it: it goes back to the queue. */
  release(key: AttemptKey): void {
    if (this.drop(key)) this.releases.push(key);
  }

  /** The runner has not got it any more; one that waited for that may be started. False if it had not. */
  drop(key: AttemptKey): boolean {
    const index = this.waiting.findIndex(({ jid }) => jid === key.jid);
    if (index >= 0) this.claimed.unshift(...this.waiting.splice(index, 1));
    return this.running.delete(nameOf(key));
  }

  /** Hands all claimed attempts that the runner has not got yet back to the queue. */
  releaseClaimed(): void {
    this.releases.push(...this.claimed.splice(0), ...this.waiting.splice(0));
  }

  /** What the next exchange is to report, taken out; `restore` puts it back if that fails. */
  takeReports(): Reports {
    const reports = { starts: this.starts, ends: this.ends, releases: this.releases };
    this.starts = [];
    this.ends = [];
    this.releases = [];
    return reports;
  }

  restore(reports: Reports): void {
    const ended = new Set([...reports.ends, ...this.ends].map(nameOf));
    this.starts = [...reports.starts, ...this.starts].filter((start) => !ended.has(nameOf(start)));
    this.ends = [...reports.ends, ...this.ends];
    this.releases = [...reports.releases, ...this.releases];
  }

  /** There are jobs at hand, here or at the runner, for the next slot that comes free. */
  get hasUnbegun(): boolean {
    return this.claimed.length + this.given.size > 0;
  }

  get hasEnds(): boolean {
    return this.ends.length > 0 || this.releases.length > 0;
  }

  /** Nothing of this feeder's is in the database as running. */
  get isEmpty(): boolean {
    return this.claimed.length === 0 && this.waiting.length === 0 && this.running.size === 0 && !this.hasEnds;
  }

  private earlierOf({ jid, attempt }: AttemptKey): AttemptKey | undefined {
    for (let earlier = attempt - 1; earlier > 0; earlier--) {
      const key = this.running.get(nameOf({ jid, attempt: earlier }));
      if (key !== undefined) return key;
    }
    return undefined;
  }
}

export interface Reports {
  readonly starts: AttemptStart[];
  readonly ends: AttemptEnd[];
  readonly releases: AttemptKey[];
}
