import type { AttemptKey } from '../../job/job.ts';
import { processStartTime } from '../../job/process.ts';
import type { RunnerLog } from '../log.ts';
import { attemptName } from '../protocol/messages.ts';
import { type Leader, signalGroup } from './leader.ts';

const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 1000;

/** Sends SIGKILL to the process groups that still exist at the end of their grace period. */
export class GraceTimers {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  /** Timers of the polls for groups whose leader has ended. */
  private readonly polls = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly log: RunnerLog,
    private readonly onEmpty: () => void,
  ) {}

  get size(): number {
    return this.timers.size;
  }

  /** Starts the grace period of an attempt. It replaces an earlier one of the same attempt. */
  start(key: AttemptKey, leader: Leader, graceMs: number): void {
    const name = attemptName(key);
    this.clear(name);
    const expire = (): void => {
      this.kill(key, leader);
      this.stop(name);
    };
    this.timers.set(name, setTimeout(expire, graceMs));
  }

  /** Ends the grace period of an attempt whose leader has ended, as soon as its process group is empty. */
  leaderEnded(key: AttemptKey, pid: number): void {
    const name = attemptName(key);
    if (this.timers.has(name)) this.poll(name, pid, FIRST_POLL_MS);
  }

  /** Polls, because the kernel does not report that a group is empty. Zombies count until init reaps them. */
  private poll(name: string, pid: number, pauseMs: number): void {
    const again = (): void => this.poll(name, pid, Math.min(pauseMs * 2, MAX_POLL_MS));
    if (this.groupExists(pid)) this.polls.set(name, setTimeout(again, pauseMs));
    else this.stop(name);
  }

  private groupExists(pid: number): boolean {
    try {
      return signalGroup(pid, 0);
    } catch (error) {
      this.log.failed('test for a process group', error);
      return true;
    }
  }

  private kill(key: AttemptKey, { pid, start_time }: Leader): void {
    // The kernel does not reuse the id of a group that has processes. Another process with this pid shows that the
    // group is empty.
    const current = processStartTime(pid);
    if (current !== undefined && current !== start_time) return;
    try {
      if (signalGroup(pid, 'SIGKILL')) this.log.groupKilled(key, pid);
    } catch (error) {
      this.log.failed('kill a process group', error);
    }
  }

  private clear(name: string): void {
    for (const timers of [this.timers, this.polls]) {
      clearTimeout(timers.get(name));
      timers.delete(name);
    }
  }

  private stop(name: string): void {
    this.clear(name);
    if (this.timers.size === 0) this.onEmpty();
  }
}
