import type { Clock } from '../../job/clock.ts';
import { errorCode } from '../../job/errors.ts';
import { bootId, pidNamespace } from '../../job/host.ts';
import type { FeederEvents } from '../../log/events.ts';
import { declareLost, type RunningAttemptRow, readOtherHostsAttempts } from '../../queue/exchange/lost-hosts.ts';
import { heartbeatStamp, markLost, readNodes } from '../../queue/nodes/nodes.ts';
import type { Queue } from '../../queue/open.ts';
import { readQueueRecord } from '../runtime/queue-record.ts';
import { readRunnerPid } from '../runtime/runner-pid.ts';
import type { Heartbeat } from './heartbeat.ts';

/** How many times other hosts are checked within `lost_after`. */
const CHECKS = 10;
/** A host is lost only after it has missed this many of its own heartbeats, however short `lost_after` is. */
const MISSED_HEARTBEATS = 4;

interface Silence {
  /** The stamp of the last heartbeat. */
  readonly stamp: string;
  /** How long the stamp has not changed while this feeder could have seen a change. */
  readonly ms: number;
  /** The attempts that the host was running at the last check. */
  readonly attempts: readonly RunningAttemptRow[];
}

/**
 * Detects hosts that run jobs and whose heartbeat has not changed for long enough, and ends their jobs on their behalf.
 * The time is measured on the monotonic clock of this process, and counts only while this host's own heartbeats succeed:
 * no host is declared lost while the file server is away.
 */
export class LostHostDetector {
  private readonly silences = new Map<string, Silence>();
  private readonly clock: Clock;
  private checkedMs: number;
  /** The value of `heartbeat.uninterruptedMs` at the last check. */
  private countedMs = 0;

  constructor(
    private readonly queue: Queue,
    private readonly host: string,
    private readonly lostAfterMs: number,
    private readonly heartbeat: Heartbeat,
    private readonly events: FeederEvents,
  ) {
    this.clock = queue.clock;
    this.checkedMs = this.clock.monotonicMs();
  }

  get isDue(): boolean {
    return this.clock.monotonicMs() - this.checkedMs >= Math.max(this.heartbeat.intervalMs, this.lostAfterMs / CHECKS);
  }

  /** Checks all other hosts that run jobs. Throws the errors of a queue that cannot be read or changed. */
  async detect(): Promise<void> {
    const addedMs = this.heartbeat.uninterruptedMs - this.countedMs;
    this.countedMs = this.heartbeat.uninterruptedMs;
    this.checkedMs = this.clock.monotonicMs();
    const running = await readOtherHostsAttempts(this.queue, this.host);
    for (const host of this.silences.keys()) if (!running.has(host)) this.silences.delete(host);
    for (const [host, attempts] of running) {
      const stamp = this.stampOf(host);
      if (stamp === undefined) {
        this.silences.delete(host);
        continue;
      }
      const before = this.silences.get(host);
      const isSilent = before?.stamp === stamp;
      const ms = isSilent ? before.ms + addedMs : 0;
      if (isSilent && ms >= this.silenceLimitMs(host) && (await this.confirmLost(host, before))) continue;
      this.silences.set(host, { stamp, ms, attempts });
    }
  }

  /** Undefined if the file system fails: nothing is known about the host then. */
  private stampOf(host: string, isFresh = false): string | undefined {
    try {
      return heartbeatStamp(this.queue.directory, host, isFresh);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined;
    }
  }

  /** This machine had that name, and its runner still runs. Names that RQ_HOST gives are those of separate hosts. */
  private isThisMachine(host: string): boolean {
    const node = readNodes(this.queue.directory).find((each) => each.host === host);
    const { boot, namespace, runtime = '' } = node?.facts ?? {};
    if (boot !== bootId() || Number(namespace) !== pidNamespace()) return false;
    try {
      return readQueueRecord(runtime)?.isNamed === false && readRunnerPid(runtime) !== undefined;
    } catch (error) {
      // The runtime directory of another user.
      if (errorCode(error) !== 'EACCES') throw error;
      return true;
    }
  }

  private silenceLimitMs(host: string): number {
    const node = readNodes(this.queue.directory).find((each) => each.host === host && !each.isLost);
    const intervalMs = Number(node?.facts['beat'] ?? 0) * 1000;
    return Math.max(this.lostAfterMs, Number.isFinite(intervalMs) ? intervalMs * MISSED_HEARTBEATS : 0);
  }

  /**
   * Asks the server for the stamp once more. If it has not changed, ends the attempts that the host was running at the
   * last check.
   */
  private async confirmLost(host: string, { stamp, ms, attempts }: Silence): Promise<boolean> {
    if (!this.heartbeat.send() || this.stampOf(host, true) !== stamp) return false;
    if (this.isThisMachine(host)) {
      this.events.formerNameRuns(host);
      return false;
    }
    const reason = `the host ${host} sent no heartbeat for ${Math.round(ms / 1000)} s`;
    const lost = await declareLost(this.queue, attempts, reason);
    for (const key of lost) this.events.jobLost(key, reason);
    markLost(this.queue.directory, host);
    this.silences.delete(host);
    return true;
  }
}
