import { lutimesSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../job/clock.ts';
import { errorCode } from '../../job/errors.ts';
import type { FeederEvents } from '../../log/events.ts';
import { temporaryName } from '../../queue/files/temporary-names.ts';
import { lostNodePath, nodePath } from '../../queue/nodes/nodes.ts';
import { documentText } from '../../yaml/document.ts';
import type { HostFacts } from './host-facts.ts';

/** The contents of `nodes/HOST`. */
export interface NodeFacts extends HostFacts {
  readonly host: string;
  readonly pid: number;
  /** As in `processStartTime`. Together with pid, namespace and boot it identifies the feeder's process. */
  readonly start_time: number;
  readonly namespace: number;
  readonly boot: string;
  readonly journal: string;
  readonly runtime: string;
  readonly slots: number;
  /** What the host has for jobs: cpus, bytes of memory, the number of GPUs, and other resources: `licence=2,port=1`. */
  readonly cpus: number;
  readonly memory: number;
  readonly gpus: number;
  readonly have: string | undefined;
  readonly version: string;
  readonly started: string;
  /** The interval between heartbeats, in seconds. */
  readonly beat: number;
}

/** Updates the time stamp of `nodes/HOST` periodically, while the feeder can reach the queue. */
export class Heartbeat {
  /** The total time between successful heartbeats that followed each other without a gap. */
  uninterruptedMs = 0;
  /**
   * The file was missing at a heartbeat, or there was no heartbeat for a while: another host may have declared this one
   * lost. The handler resets this flag.
   */
  wasAway = false;
  private lastMs: number;
  private lastSinceBootMs: number;
  /** When this object was created, by the clock of the server. */
  private readonly startServerMs: number;
  private readonly startSinceBootMs: number;
  private readonly path: string;
  private readonly lostPath: string;
  private timer: NodeJS.Timeout | undefined;
  private isFailing = false;

  constructor(
    queueDirectory: string,
    private readonly facts: NodeFacts,
    private readonly clock: Clock,
    private readonly events: FeederEvents,
  ) {
    this.path = nodePath(queueDirectory, facts.host);
    this.lostPath = lostNodePath(queueDirectory, facts.host);
    this.lastMs = clock.monotonicMs();
    this.lastSinceBootMs = clock.sinceBootMs();
    this.startSinceBootMs = this.lastSinceBootMs;
    this.startServerMs = Date.parse(clock.now()) - facts.clock_offset_s * 1000;
  }

  get intervalMs(): number {
    return this.facts.beat * 1000;
  }

  /** The last heartbeat is so old that other hosts have declared this one lost, or soon will. */
  get isOverdue(): boolean {
    return this.clock.sinceBootMs() - this.lastSinceBootMs > 2 * this.intervalMs;
  }

  /** Writes the file and starts the timer. Throws if the file cannot be written. */
  start(): void {
    if (this.timer !== undefined) return;
    this.write();
    this.timer = setInterval(() => this.send(), this.intervalMs);
    this.timer.unref();
  }

  /** Stops the timer. `removeFile` is for a host that has no running jobs left: it leaves and is not lost. */
  stop(removeFile: boolean): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (removeFile) rmSync(this.path, { force: true });
  }

  /** The time by the clock of the file server: the time at the start, plus the time since then, also while suspended. */
  serverTime(): Date {
    return new Date(this.startServerMs + this.clock.sinceBootMs() - this.startSinceBootMs);
  }

  /** Sends a heartbeat. Returns false if the file system fails; the next heartbeat tries again. */
  send(): boolean {
    try {
      // By the clock of the server, which also stamps new files. Changes of the clock of this host have no effect.
      const now = this.serverTime();
      // lutimes does not follow a planted link.
      lutimesSync(this.path, now, now);
      this.recordSuccess();
      return true;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') return this.recordFailure(error);
      this.wasAway = true;
      return this.rewrite();
    }
  }

  private rewrite(): boolean {
    try {
      this.write();
      return true;
    } catch (error) {
      return this.recordFailure(error);
    }
  }

  /** Logs only the first of successive failures, which can last for hours. */
  private recordFailure(error: unknown): false {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    if (!this.isFailing) this.events.heartbeatFailed(error);
    this.isFailing = true;
    return false;
  }

  private recordSuccess(): void {
    if (this.isOverdue) this.wasAway = true;
    const nowMs = this.clock.monotonicMs();
    const gapMs = nowMs - this.lastMs;
    if (gapMs <= 1.5 * this.intervalMs) this.uninterruptedMs += gapMs;
    this.lastMs = nowMs;
    this.lastSinceBootMs = this.clock.sinceBootMs();
    if (this.isFailing) this.events.heartbeatRecovered();
    this.isFailing = false;
  }

  /** Renames a complete file into place, so that no reader sees half of it and no planted link is followed. */
  private write(): void {
    const temporary = join(this.path, '..', temporaryName());
    writeFileSync(temporary, documentText({ ...this.facts }), { flag: 'wx', mode: 0o644 });
    renameSync(temporary, this.path);
    rmSync(this.lostPath, { force: true });
    this.recordSuccess();
  }
}
