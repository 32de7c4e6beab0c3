import type { AttemptKey } from '../../job/job.ts';
import type { Connection } from '../connection.ts';

const ADD = `INSERT INTO orders (jid, claim, signal, sender, sent)
  SELECT jid, claim, :signal, :sender, :sent FROM jobs WHERE jid = :jid`;
/** Orders come first: there are few, and often none. */
const OF_HOST = `SELECT id, orders.jid, orders.claim, orders.signal FROM orders CROSS JOIN jobs USING (jid)
  WHERE jobs.claim = orders.claim AND state = 'running' AND runner = ? ORDER BY id`;
const REMOVE = 'DELETE FROM orders WHERE id IN (SELECT value FROM json_each(?))';
const REMOVE_STALE = `DELETE FROM orders WHERE NOT EXISTS
  (SELECT 1 FROM jobs WHERE jobs.jid = orders.jid AND jobs.claim = orders.claim AND state = 'running')`;

/** A signal that is to be sent to an attempt once. */
export interface Order extends AttemptKey {
  readonly id: number;
  /** The name of a signal: SIGUSR1. */
  readonly signal: string;
}

/** Adds an order for the current attempt of a running job. */
export function addOrder(
  connection: Connection,
  jid: number,
  order: { readonly signal: string; readonly sender: string; readonly sent: string },
): void {
  connection.run(ADD, { ...order, jid });
}

/** The orders for the running attempts of a host, oldest first. */
export function ordersFor(connection: Connection, host: string): Order[] {
  return connection.all(OF_HOST, [host]) as unknown as Order[];
}

/** Removes orders that were delivered. */
export function removeOrders(connection: Connection, ids: readonly number[]): void {
  connection.run(REMOVE, [JSON.stringify(ids)]);
}

/** Removes the orders of attempts that no longer run. */
export function removeStaleOrders(connection: Connection): void {
  connection.run(REMOVE_STALE);
}
