import { errorCode } from '../job/errors.ts';
import type { AttemptKey } from '../job/job.ts';
import { processStartTime } from '../job/process.ts';
import type { RunnerLog } from './log.ts';
import { attemptName } from './protocol/protocol.ts';

/** The process that leads a group; its start time is null if it had ended before anybody looked. */
export interface Leader {
  readonly pid: number;
  readonly start_time: number | null;
}

/** Sends a signal to a process group; 0 only asks. False if there is no such group. Throws what kill(2) else says. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

const FIRST_LOOK_MS = 20;
const MAX_LOOK_MS = 1000;

/** SIGKILL for groups that were asked to end and did not in their time. */
export class GraceTimers {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly looks = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly log: RunnerLog,
    private readonly onEmpty: () => void,
  ) {}

  get size(): number {
    return this.timers.size;
  }

  /** Starts the grace time of an attempt; a former one no longer counts. */
  start(key: AttemptKey, leader: Leader, graceMs: number): void {
    const name = attemptName(key);
    this.clear(name);
    const expire = (): void => {
      this.kill(key, leader);
      this.stop(name);
    };
    this.timers.set(name, setTimeout(expire, graceMs));
  }

  /** The leader has ended: its grace time goes on only if something of its group is left. */
  leaderEnded(key: AttemptKey, pid: number): void {
    const name = attemptName(key);
    if (this.timers.has(name)) this.look(name, pid, FIRST_LOOK_MS);
  }

  /** Nothing tells when a group is empty, and what the leader left behind is a zombie until init reaps it. */
  private look(name: string, pid: number, pauseMs: number): void {
    const again = (): void => this.look(name, pid, Math.min(pauseMs * 2, MAX_LOOK_MS));
    if (this.isThere(pid)) this.looks.set(name, setTimeout(again, pauseMs));
    else this.stop(name);
  }

  private isThere(pid: number): boolean {
    try {
      return signalGroup(pid, 0);
    } catch (error) {
      this.log.failed('ask for a process group', error);
      return true;
    }
  }

  private kill(key: AttemptKey, { pid, start_time }: Leader): void {
    // While any process is in the group, its number is nobody else's pid: a stranger there means that it has gone.
    const current = processStartTime(pid);
    if (current !== undefined && current !== start_time) return;
    try {
      if (signalGroup(pid, 'SIGKILL')) this.log.killedGroup(key, pid);
    } catch (error) {
      this.log.failed('kill a process group', error);
    }
  }

  private clear(name: string): void {
    for (const timers of [this.timers, this.looks]) {
      clearTimeout(timers.get(name));
      timers.delete(name);
    }
  }

  private stop(name: string): void {
    this.clear(name);
    if (this.timers.size === 0) this.onEmpty();
  }
}
