import type { FeederEvents } from '../../log/events.ts';
import type { Queue } from '../../queue/open.ts';
import { Beat, type NodeFacts } from './heartbeat.ts';
import { NodeWatch } from './node-watch.ts';

/** That this host lives, for the others to see, and what this host sees of theirs. */
export class Presence {
  private readonly beat: Beat;
  private readonly watch: NodeWatch;

  constructor(queue: Queue, facts: NodeFacts, lostAfterMs: number, events: FeederEvents) {
    this.beat = new Beat(queue.directory, facts, queue.clock, events);
    this.watch = new NodeWatch(queue, facts.host, lostAfterMs, this.beat, events);
  }

  /** Throws where `nodes/` cannot be written to. */
  start(): void {
    this.beat.start();
  }

  /** Ends it; `isGone` if nothing of this host's runs any more. */
  stop(isGone: boolean): void {
    this.beat.stop(isGone);
  }

  /**
   * False where others may have taken this host for lost: it stood still, was suspended, or cannot reach the queue. What
   * was claimed before is not to begin then.
   */
  get isSure(): boolean {
    return !this.beat.isOverdue && !this.beat.wasMissing;
  }

  /**
   * To be called before each look at the queue: gives a sign of life that is overdue, calls `wasLost` where others may
   * have taken this host for lost meanwhile, and ends the jobs of hosts that are lost. Throws what a queue throws.
   */
  async attend(wasLost: () => Promise<void>): Promise<void> {
    const { beat, watch } = this;
    if (beat.isOverdue) beat.beat();
    if (beat.wasMissing) {
      await wasLost();
      beat.wasMissing = false;
    }
    if (watch.isDue) await watch.look();
  }
}
