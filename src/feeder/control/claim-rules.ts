import type { FeederEvents } from '../../log/events.ts';
import type { ClaimControl } from '../../queue/exchange/control.ts';

/** What users want that decides the claims of this host, as the feeder has last read it. */
export class ClaimRules {
  /** Undefined before the first read, and if it must be read again. */
  known: ClaimControl | undefined;
  isDrained = false;

  constructor(private readonly events: FeederEvents) {}

  apply(control: ClaimControl): void {
    const { version, rules, drain } = control;
    this.known = { version, rules, drain };
    if (drain !== undefined && !this.isDrained) this.events.drained(drain);
    if (drain === undefined && this.isDrained) this.events.undrained();
    this.isDrained = drain !== undefined;
  }

  /** Makes the next transaction read it again. */
  expire(): void {
    this.known = undefined;
  }
}
