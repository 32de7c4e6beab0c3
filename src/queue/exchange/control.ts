import type { PlacementRules } from '../../store/claim/limits.ts';
import type { Connection } from '../../store/connection.ts';
import { type Drain, drainOf } from '../../store/control/hosts.ts';
import { type Order, ordersFor } from '../../store/control/orders.ts';
import { controlVersion, readWishes, type Wish } from '../../store/control/wishes.ts';
import { placementRules } from '../placement-rules.ts';

export type { Drain, Order, Wish };

/** What decides the claims of a host. The version changes with any change of it. */
export interface ClaimControl {
  readonly version: number;
  readonly rules: PlacementRules;
  /** Set if the host claims no jobs. */
  readonly drain: Drain | undefined;
}

/** What users want of a host and of its attempts. */
export interface Control extends ClaimControl {
  /** The attempts that are to end or to be paused. All others continue. */
  readonly wishes: readonly Wish[];
  readonly orders: readonly Order[];
}

/**
 * Reads what users want of a host, unless `known` has its version. `changed` is undefined then. The version is in the
 * header of the database, so it costs no page.
 */
export function readControl(
  connection: Connection,
  host: string,
  known: ClaimControl | undefined,
): { readonly current: ClaimControl; readonly changed: Control | undefined } {
  const version = controlVersion(connection);
  if (known?.version === version) return { current: known, changed: undefined };
  const changed: Control = {
    version,
    rules: placementRules(connection),
    drain: drainOf(connection, host),
    wishes: readWishes(connection, host),
    orders: ordersFor(connection, host),
  };
  return { current: changed, changed };
}
