import type { Clock } from '../../job/clock.ts';
import { errorCode } from '../../job/errors.ts';
import type { FeederEvents } from '../../log/events.ts';
import { declareLost, type RunningAttemptRow, readOtherHostsAttempts } from '../../queue/exchange/lost-hosts.ts';
import { markLost, nodeSign, readNodes } from '../../queue/nodes/nodes.ts';
import type { Queue } from '../../queue/open.ts';
import type { Beat } from './heartbeat.ts';

/** Of the time after which a host is lost: how often the others are looked at. */
const LOOKS = 10;
/** A host is not lost before it missed so many beats of its own, whatever this feeder was told. */
const MISSED_BEATS = 4;

interface Silence {
  readonly sign: string;
  /** For how long the sign did not change while this feeder could have seen it change. */
  readonly ms: number;
  /** What the host was running when it was looked at last. */
  readonly attempts: readonly RunningAttemptRow[];
}

/**
 * Looks after hosts that run jobs and give no sign of life: one whose beat does not change for long enough is lost, and
 * its jobs are ended on its behalf. The time is this process's own monotonic time, and only such in which this host's
 * own beats came through: while the server is away, nobody is lost.
 */
export class NodeWatch {
  private readonly silences = new Map<string, Silence>();
  private readonly clock: Clock;
  private lookedMs: number;
  private steadyMs = 0;

  constructor(
    private readonly queue: Queue,
    private readonly host: string,
    private readonly lostAfterMs: number,
    private readonly beat: Beat,
    private readonly events: FeederEvents,
  ) {
    this.clock = queue.clock;
    this.lookedMs = this.clock.monotonicMs();
  }

  get isDue(): boolean {
    return this.clock.monotonicMs() - this.lookedMs >= this.intervalMs;
  }

  /** Looks at all hosts that run jobs. Throws what a queue throws that cannot be read or changed. */
  async look(): Promise<void> {
    const countedMs = this.beat.steadyMs - this.steadyMs;
    this.steadyMs = this.beat.steadyMs;
    this.lookedMs = this.clock.monotonicMs();
    const running = await readOtherHostsAttempts(this.queue, this.host);
    for (const host of this.silences.keys()) if (!running.has(host)) this.silences.delete(host);
    for (const [host, attempts] of running) {
      const sign = this.signOf(host);
      if (sign === undefined) {
        this.silences.delete(host);
        continue;
      }
      const before = this.silences.get(host);
      const isSilent = before?.sign === sign;
      if (isSilent && before.ms + countedMs >= this.patienceMs(host) && (await this.isLost(host, before))) continue;
      this.silences.set(host, { sign, ms: isSilent ? before.ms + countedMs : 0, attempts });
    }
  }

  /** Undefined where the share fails: then nothing is known of the host. */
  private signOf(host: string, isFresh = false): string | undefined {
    try {
      return nodeSign(this.queue.directory, host, isFresh);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined;
    }
  }

  private get intervalMs(): number {
    return Math.max(this.beat.intervalMs, this.lostAfterMs / LOOKS);
  }

  private patienceMs(host: string): number {
    const node = readNodes(this.queue.directory).find((each) => each.host === host && !each.isLost);
    const beatMs = Number(node?.facts['beat'] ?? 0) * 1000;
    return Math.max(this.lostAfterMs, Number.isFinite(beatMs) ? beatMs * MISSED_BEATS : 0);
  }

  /** Asks the server once more, and if there is no sign of life, ends what the host was running at the last look. */
  private async isLost(host: string, { sign, ms, attempts }: Silence): Promise<boolean> {
    if (!this.beat.beat() || this.signOf(host, true) !== sign) return false;
    const seconds = Math.round(ms / 1000);
    const reason = `its host ${host} gave no sign of life for ${seconds} s`;
    const lost = await declareLost(this.queue, attempts, reason);
    for (const key of lost) this.events.lost(key, reason);
    markLost(this.queue.directory, host);
    this.silences.delete(host);
    return true;
  }
}
