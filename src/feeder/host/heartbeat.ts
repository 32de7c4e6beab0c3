import { lutimesSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../job/clock.ts';
import { errorCode } from '../../job/errors.ts';
import type { FeederEvents } from '../../log/events.ts';
import { temporaryName } from '../../queue/files/temporary-names.ts';
import { lostNodePath, nodePath } from '../../queue/nodes/nodes.ts';
import { documentText } from '../../yaml/document.ts';
import type { HostFacts } from './host-facts.ts';

export const BEAT_MS = 30_000;

/** What `nodes/HOST` tells of a feeder and its host. */
export interface NodeFacts extends HostFacts {
  readonly host: string;
  readonly pid: number;
  /** With the pid, the namespace and the boot it names the feeder's process for good; as in `processStartTime`. */
  readonly start_time: number;
  readonly namespace: number;
  readonly boot: string;
  readonly journal: string;
  readonly runtime: string;
  readonly slots: number;
  readonly version: string;
  readonly started: string;
  /** Seconds between its beats. */
  readonly beat: number;
}

/** A node's sign of life: a file whose time stamp it moves on, as long as its feeder can reach the queue. */
export class Beat {
  /** When the last beat came through, in milliseconds. */
  private lastMs: number;
  private lastSinceBootMs: number;
  /** When this was made, by the server's clock and since boot, in milliseconds. */
  private readonly startMs: number;
  private readonly startSinceBootMs: number;
  /** How long beats came through one after the other in time, all in all, in milliseconds. */
  steadyMs = 0;
  /** The file was gone at a beat: others may have taken this node for lost. Whoever has seen to that sets it false. */
  wasMissing = false;
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
    this.startMs = Date.parse(clock.now()) - facts.clock_offset_s * 1000;
  }

  get intervalMs(): number {
    return this.facts.beat * 1000;
  }

  /** The last beat is so long ago that others may have taken this node for lost soon, or already. */
  get isOverdue(): boolean {
    return this.clock.sinceBootMs() - this.lastSinceBootMs > 2 * this.intervalMs;
  }

  /** Writes the file and begins to beat. Throws where the file cannot be written. */
  start(): void {
    this.write();
    this.timer = setInterval(() => this.beat(), this.intervalMs);
    this.timer.unref();
  }

  /** Ends the beat; a node that leaves nothing behind that runs removes its file: it left, it was not lost. */
  stop(isGone: boolean): void {
    clearInterval(this.timer);
    if (isGone) rmSync(this.path, { force: true });
  }

  /** One beat; where the share fails, the next one tries again. False if it did not come through. */
  beat(): boolean {
    try {
      // By the server's clock, as when the file is written, whatever becomes of this host's.
      const now = new Date(this.startMs + this.clock.sinceBootMs() - this.startSinceBootMs);
      // A link that was planted is not followed.
      lutimesSync(this.path, now, now);
      this.note();
      return true;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') return this.failed(error);
      this.wasMissing = true;
      return this.rewrite();
    }
  }

  private rewrite(): boolean {
    try {
      this.write();
      return true;
    } catch (error) {
      return this.failed(error);
    }
  }

  /** Told once: it may go on for hours. */
  private failed(error: unknown): false {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    if (!this.isFailing) this.events.beatFailed(error);
    this.isFailing = true;
    return false;
  }

  private note(): void {
    const nowMs = this.clock.monotonicMs();
    const gapMs = nowMs - this.lastMs;
    if (gapMs <= 1.5 * this.intervalMs) this.steadyMs += gapMs;
    this.lastMs = nowMs;
    this.lastSinceBootMs = this.clock.sinceBootMs();
    if (this.isFailing) this.events.beatsAgain();
    this.isFailing = false;
  }

  /** Under another name first, so that nobody reads half of it and no link is followed. */
  private write(): void {
    const temporary = join(this.path, '..', temporaryName());
    writeFileSync(temporary, documentText({ ...this.facts }), { flag: 'wx', mode: 0o644 });
    renameSync(temporary, this.path);
    rmSync(this.lostPath, { force: true });
    this.note();
  }
}
