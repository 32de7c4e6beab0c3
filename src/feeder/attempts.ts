import type { AttemptKey, ClaimedJob } from '../job/job.ts';
import { devicesText, type Holding, holdingOf } from '../job/placement/holding.ts';
import type { AttemptEnd, AttemptStart } from '../queue/exchange/exchange.ts';
import { attemptName } from '../runner/protocol/messages.ts';

/** The maximum number of jobs at the runner that have no slot because their directories do not respond. */
const MAX_HANGING = 64;

/** The reports of the next exchange. */
export interface Reports {
  readonly starts: AttemptStart[];
  readonly ends: AttemptEnd[];
  /** Attempts that were never started. Their jobs go back to pending. */
  readonly releases: AttemptKey[];
}

/** An attempt at the runner: what it holds, and the permitted retries of its job where they are known. */
export interface RunningKey extends AttemptKey {
  readonly holding: Holding;
  readonly retries?: number | null;
}

/** All attempts of a feeder: claimed and not yet sent to the runner, at the runner, or ended and not yet reported. */
export class Attempts {
  readonly claimed: ClaimedJob[] = [];
  /** Claimed jobs of which an earlier attempt still runs here, because this host was declared lost. */
  readonly blocked: ClaimedJob[] = [];
  /** The attempts at the runner. */
  readonly running = new Map<string, RunningKey>();
  /** The attempts at the runner that it has not reported as started. They may be waiting there for a slot. */
  readonly unconfirmed = new Map<string, RunningKey>();
  /** The unconfirmed attempts whose directories do not respond. They take no cpus, because the runner starts others meanwhile. */
  private readonly hanging = new Set<string>();
  starts: AttemptStart[] = [];
  ends: AttemptEnd[] = [];
  releases: AttemptKey[] = [];

  /**
   * The next claimed job. If an earlier attempt of a job still runs here, it sets the job aside and calls `onBlocked` with
   * that attempt.
   */
  next(onBlocked: (earlier: AttemptKey) => void): ClaimedJob | undefined {
    for (;;) {
      const [job] = this.claimed;
      if (job === undefined) return undefined;
      const earlier = this.earlierAttemptOf(job);
      if (earlier === undefined) return job;
      this.blocked.push(...this.claimed.splice(0, 1));
      onBlocked(earlier);
    }
  }

  /** Records that the next claimed job is sent to the runner with these GPUs. Returns the job as it is sent. */
  sendNext(devices: readonly string[]): ClaimedJob | undefined {
    const claimed = this.claimed.shift();
    if (claimed === undefined) return undefined;
    const job = { ...claimed, devices: devicesText(devices) };
    const { jid, claim, retries } = job;
    this.send({ jid, claim, retries, holding: holdingOf(job) });
    return job;
  }

  /** Records that an attempt is sent to the runner. */
  send(key: RunningKey): void {
    this.unconfirmed.set(attemptName(key), key);
    this.add(key);
  }

  /** Records that the runner has replied to the request to start an attempt. */
  confirm(key: AttemptKey): void {
    this.unconfirmed.delete(attemptName(key));
    this.hanging.delete(attemptName(key));
  }

  /** Frees the cpus of an attempt that the runner has not started although they are free there. True if it had some. */
  setAside(key: AttemptKey, cpus: number): boolean {
    const name = attemptName(key);
    const attempt = this.unconfirmed.get(name);
    if (attempt === undefined || this.hanging.has(name)) return false;
    if (this.startedCpus + attempt.holding.cpus > cpus || this.hanging.size >= MAX_HANGING) return false;
    this.hanging.add(name);
    return true;
  }

  /** Adds an attempt that is at the runner. */
  add(key: RunningKey): void {
    this.running.set(attemptName(key), key);
  }

  start(start: AttemptStart): void {
    if (this.running.has(attemptName(start))) this.starts.push(start);
  }

  /** Records an end. The report of the end includes the start. */
  end(end: AttemptEnd): void {
    const { retries, holding } = this.running.get(attemptName(end)) ?? {};
    const mayRetry = retries === undefined || Number(retries) > 0;
    const devices = devicesText(holding?.devices ?? []);
    this.remove(end);
    this.starts = this.starts.filter((start) => attemptName(start) !== attemptName(end));
    this.ends.push({ ...end, devices, mayRetry });
  }

  /** Releases an attempt that the runner did not start. */
  release(key: AttemptKey): void {
    if (this.remove(key)) this.releases.push(key);
  }

  /** Releases all claimed jobs that were not sent to the runner. */
  releaseClaimed(): void {
    this.releases.push(...this.claimed.splice(0), ...this.blocked.splice(0));
  }

  /** Releases a claimed job that was not sent to the runner. False if there is none. */
  releaseUnsent({ jid, claim }: AttemptKey): boolean {
    for (const jobs of [this.claimed, this.blocked]) {
      const index = jobs.findIndex((job) => job.jid === jid && job.claim === claim);
      if (index === -1) continue;
      this.releases.push(...jobs.splice(index, 1));
      return true;
    }
    return false;
  }

  /** Removes an attempt that is no longer at the runner, and unblocks its job. Returns false if it was not there. */
  remove(key: AttemptKey): boolean {
    const index = this.blocked.findIndex(({ jid }) => jid === key.jid);
    if (index >= 0) this.claimed.unshift(...this.blocked.splice(index, 1));
    this.hanging.delete(attemptName(key));
    return this.running.delete(attemptName(key));
  }

  /** Takes out the reports for an exchange. `restoreReports` puts them back if the exchange fails. */
  takeReports(): Reports {
    const reports = { starts: this.starts, ends: this.ends, releases: this.releases };
    this.starts = [];
    this.ends = [];
    this.releases = [];
    return reports;
  }

  restoreReports(reports: Reports): void {
    const ended = new Set([...reports.ends, ...this.ends].map(attemptName));
    this.starts = [...reports.starts, ...this.starts].filter((start) => !ended.has(attemptName(start)));
    this.ends = [...reports.ends, ...this.ends];
    this.releases = [...reports.releases, ...this.releases];
  }

  /** The attempts that the runner has not reported as started and that have no cpus there: they were sent ahead. */
  unconfirmedAhead(cpus: number): AttemptKey[] {
    let free = cpus - this.startedCpus;
    // The runner starts them in this order, and one that does not fit delays those after it.
    return [...this.unconfirmed].flatMap(([name, { jid, claim, holding }]) => {
      if (this.hanging.has(name)) return [];
      free -= holding.cpus;
      return free < 0 ? [{ jid, claim }] : [];
    });
  }

  /** There are claimed jobs, here or at the runner, for the next free slot. */
  get hasUnstarted(): boolean {
    return this.claimed.length + this.unconfirmed.size > this.hanging.size;
  }

  /** The cpus of the attempts at the runner, also of those that wait there for them. */
  get runningCpus(): number {
    return sum([...this.running].map(([name, { holding }]) => (this.hanging.has(name) ? 0 : holding.cpus)));
  }

  /** What all attempts hold, also those that are claimed and not yet sent. */
  get holdings(): Holding[] {
    const running = [...this.running].map(([name, { holding }]) =>
      this.hanging.has(name) ? { ...holding, cpus: 0 } : holding,
    );
    return [...running, ...[...this.claimed, ...this.blocked].map(holdingOf)];
  }

  /** There are ends or releases to report. */
  get hasResults(): boolean {
    return this.ends.length > 0 || this.releases.length > 0;
  }

  /** The database contains no running job of this feeder. */
  get isEmpty(): boolean {
    return this.claimed.length === 0 && this.blocked.length === 0 && this.running.size === 0 && !this.hasResults;
  }

  private get startedCpus(): number {
    return sum([...this.running].map(([name, { holding }]) => (this.unconfirmed.has(name) ? 0 : holding.cpus)));
  }

  private earlierAttemptOf({ jid, claim }: AttemptKey): AttemptKey | undefined {
    for (let earlier = claim - 1; earlier > 0; earlier--) {
      const key = this.running.get(attemptName({ jid, claim: earlier }));
      if (key !== undefined) return key;
    }
    return undefined;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
