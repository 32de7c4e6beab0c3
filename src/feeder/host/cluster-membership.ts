import type { FeederEvents } from '../../log/events.ts';
import type { Queue } from '../../queue/open.ts';
import { Heartbeat, type NodeFacts } from './heartbeat.ts';
import { LostHostDetector } from './lost-host-detector.ts';

/** Sends the heartbeat of this host, and detects other hosts that are lost. */
export class ClusterMembership {
  private readonly heartbeat: Heartbeat;
  private readonly detector: LostHostDetector;

  constructor(queue: Queue, facts: NodeFacts, lostAfterMs: number, events: FeederEvents) {
    this.heartbeat = new Heartbeat(queue.directory, facts, queue.clock, events);
    this.detector = new LostHostDetector(queue, facts.host, lostAfterMs, this.heartbeat, events);
  }

  /** Throws if `nodes/` cannot be written to. */
  start(): void {
    this.heartbeat.start();
  }

  /** `isLeaving` states that nothing runs on this host any more. */
  stop(isLeaving: boolean): void {
    this.heartbeat.stop(isLeaving);
  }

  /**
   * Other hosts may have declared this one lost, because it was frozen or suspended, or cannot reach the queue. Jobs that
   * were claimed before must not start then.
   */
  get mayBeLost(): boolean {
    return this.heartbeat.isOverdue || this.heartbeat.wasAway;
  }

  /** The time by the clock of the file server, in ISO 8601. */
  serverNow(): string {
    return this.heartbeat.serverTime().toISOString();
  }

  /**
   * Sends an overdue heartbeat, calls `onReturn` if other hosts may have declared this one lost, and ends the jobs of
   * lost hosts. Runs before each search of the queue. Throws the errors of a queue that cannot be read or changed.
   */
  async check(onReturn: () => Promise<void>): Promise<void> {
    const { heartbeat, detector } = this;
    if (heartbeat.isOverdue) heartbeat.send();
    if (heartbeat.wasAway) {
      await onReturn();
      heartbeat.wasAway = false;
    }
    if (detector.isDue) await detector.detect();
  }
}
