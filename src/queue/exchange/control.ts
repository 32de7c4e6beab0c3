import type { Connection } from '../../store/connection.ts';
import { type Order, ordersFor } from '../../store/control/orders.ts';
import { controlVersion, readWishes, type Wish } from '../../store/control/wishes.ts';

export type { Order, Wish };

/** The wishes and orders for the attempts of a host. */
export interface Control {
  readonly version: number;
  /** The attempts that are to end or to be paused. All others continue. */
  readonly wishes: readonly Wish[];
  readonly orders: readonly Order[];
}

/** Reads the wishes and orders for a host, unless `known` is their version. */
export function readControl(connection: Connection, host: string, known: number | undefined): Control | undefined {
  const version = controlVersion(connection);
  if (version === known) return undefined;
  return { version, wishes: readWishes(connection, host), orders: ordersFor(connection, host) };
}
