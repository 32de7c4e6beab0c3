import { randomUUID } from 'node:crypto';
import { lutimesSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentText } from '../yaml/document.ts';

export const BEAT_MS = 30_000;

/** What `nodes/HOST` tells of a feeder. */
export interface NodeFacts {
  readonly host: string;
  readonly pid: number;
  readonly boot: string;
  readonly journal: string;
  readonly runtime: string;
  readonly slots: number;
  readonly version: string;
  readonly started: string;
}

/** A node's sign of life: a file whose time stamp the server moves on, as long as the feeder can reach the queue. */
export class Beat {
  private readonly path: string;
  private timer: NodeJS.Timeout | undefined;

  constructor(queueDirectory: string, host: string) {
    this.path = join(queueDirectory, 'nodes', host);
  }

  /** Writes the file, under another name first, so that nobody reads half of it and no link is followed. */
  start(facts: NodeFacts): void {
    if (this.timer !== undefined) return;
    const temporary = join(this.path, '..', `.${randomUUID()}`);
    writeFileSync(temporary, documentText({ ...facts }), { flag: 'wx', mode: 0o644 });
    renameSync(temporary, this.path);
    this.timer = setInterval(() => this.beat(facts), BEAT_MS);
    this.timer.unref();
  }

  /** Ends the beat; a node that leaves nothing behind that runs removes its file: it left, it was not lost. */
  stop(isGone: boolean): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (isGone) rmSync(this.path, { force: true });
  }

  private beat(facts: NodeFacts): void {
    try {
      const now = new Date();
      // A link that was planted is not followed.
      lutimesSync(this.path, now, now);
    } catch {
      // Removed by hand, or the share fails: written anew, or tried again at the next beat.
      clearInterval(this.timer);
      this.timer = undefined;
      this.restart(facts);
    }
  }

  private restart(facts: NodeFacts): void {
    try {
      this.start(facts);
    } catch {
      this.timer = setInterval(() => this.beat(facts), BEAT_MS);
      this.timer.unref();
    }
  }
}
