import { RqError } from '../../job/errors.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { Queue } from '../../queue/open.ts';
import { requireCurrentSchema } from '../../queue/transaction/read.ts';
import type { PollTimer } from '../poll-timer.ts';

/** How often the installed program is asked whether it supports the schema. */
const ASK_MS = 60_000;

/** Whether an error means that the queue has another schema than this program. */
export function isSchemaError(error: unknown): boolean {
  return error instanceof RqError && (error.code === 'QUEUE_VERSION' || error.code === 'QUEUE_OUTDATED');
}

/**
 * Waits while the queue has another schema than this program: it was upgraded, or an older copy replaced it. The feeder
 * claims and reports nothing meanwhile. It restarts when the installed program supports the schema.
 */
export class SchemaMismatch {
  isMet = false;
  /** The installed program supports the schema. */
  isRestartDue = false;
  private askedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly queue: Queue,
    private readonly waitMs: number,
    private readonly parts: { events: FeederEvents; isProgramReady: () => Promise<boolean>; timer: PollTimer },
  ) {}

  /** After a mismatch, reads the schema again, without the lease. Throws while it is not that of this program. */
  async check(): Promise<void> {
    if (!this.isMet) return;
    await requireCurrentSchema(this.queue);
    this.isMet = false;
    this.isRestartDue = false;
    this.parts.events.schemaSupported();
  }

  /** Asks the installed program once a minute, unless the feeder is ending. Waits if it does not support the schema. */
  async wait(error: unknown, isEnding: boolean): Promise<void> {
    const { events, isProgramReady, timer } = this.parts;
    const { clock } = this.queue;
    const isNew = !this.isMet;
    this.isMet = true;
    if (!isEnding && (isNew || clock.monotonicMs() - this.askedMs >= ASK_MS)) {
      this.isRestartDue = await isProgramReady();
      this.askedMs = clock.monotonicMs();
    }
    if (this.isRestartDue && !isEnding) return;
    if (isNew) events.schemaUnsupported(error);
    await timer.sleep(Math.min(this.waitMs, ASK_MS));
  }
}
